import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { contentTypeOf } from './content-type.ts'

const bytes = (hex: string) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(64)])

/** A ZIP archive with one file in it. */
function zipOf(name: string, content: string): Buffer {
  const packed = deflateRawSync(content)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(8, 8)
  header.writeUInt32LE(packed.length, 18)
  header.writeUInt32LE(content.length, 22)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, Buffer.from(name), packed, Buffer.from('504b0506', 'hex'), Buffer.alloc(18)])
}

test.each([
  ['words', 'text/plain'],
  ['', 'text/plain'],
  ['Grüße, 日本', 'text/plain'],
  ['a,b\n1,2\n', 'text/plain'],
  ['if (a < b) return <b', 'text/plain'],
  ['\uFEFFwords', 'text/plain'],
  ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'image/svg+xml'],
  ['\uFEFF \n<SVG>', 'image/svg+xml'],
  ['<?xml version="1.0"?>\n<!-- made by hand -->\n<svg:svg xmlns:svg="x">', 'image/svg+xml'],
  ['<!-- a --><!-- b --><svg>', 'image/svg+xml'],
  ['<!DOCTYPE svg PUBLIC "x" "y"><svg >', 'image/svg+xml'],
  ['<!doctype html><title>x</title>', 'text/html'],
  ['  <HTML>', 'text/html'],
  ['<script>alert(1)</script>', 'text/html'],
  ['<!-- x -->\n<body onload=alert(1)>', 'text/html'],
  ['<img src=x onerror=alert(1)>', 'text/html'],
  ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', 'application/xhtml+xml'],
  ['<?xml version="1.0"?><note>Buy milk</note>', 'application/xml'],
  ['%PDF-1.7\n', 'application/pdf'],
])('%j is %s', async (text, type) => {
  expect(await contentTypeOf(Buffer.from(text))).toBe(type)
})

test.each([
  ['89504e470d0a1a0a0000000d49484452', 'image/png'],
  ['ffd8ffe000104a464946', 'image/jpeg'],
  ['7f454c460201', 'application/x-elf'],
  ['4d5a9000', 'application/x-msdownload'],
  ['00010203', 'application/octet-stream'],
  ['c3', 'application/octet-stream'],
])('bytes %s are %s', async (hex, type) => {
  expect(await contentTypeOf(bytes(hex))).toBe(type)
})

test('a page in UTF-16 is a page, and text is text', async () => {
  const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
  expect(await contentTypeOf(utf16('<html>'))).toBe('text/html')
  expect(await contentTypeOf(utf16('words'))).toBe('text/plain')
})

test('an archive is what is in it', async () => {
  const types = `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`
  expect(await contentTypeOf(zipOf('[Content_Types].xml', types))).toBe(
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  )
  expect(await contentTypeOf(zipOf('notes.txt', 'words'))).toBe('application/zip')
})

test('text that is cut off in the middle of a character is text', async () => {
  expect(await contentTypeOf(Buffer.from('words €').subarray(0, -1))).toBe('text/plain')
})

test('a head that breaks off anywhere in anything has some type', async () => {
  const whole = zipOf('[Content_Types].xml', '<Types/>')
  for (let length = 0; length <= whole.length; length += 1) {
    expect(await contentTypeOf(whole.subarray(0, length))).toMatch(/^\w+\/[\w.+-]+$/)
  }
})
