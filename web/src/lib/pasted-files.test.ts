import { describe, expect, test } from 'vitest'
import { momentInName, pastedFiles } from './pasted-files.ts'

const file = (name: string, type = 'image/png') => new File(['content'], name, { type })
const nameFor = (extension: string) => `Pasted.${extension}`
const names = (files: File[]) => files.map(({ name }) => name)

describe('a paste', () => {
  test('of text from an office program does not attach the picture of it', () => {
    expect(pastedFiles({ files: [file('image.png')], text: 'Q3\t4711' }, nameFor)).toEqual([])
  })

  test('of a picture gives it a name', async () => {
    const [pasted] = pastedFiles({ files: [file('image.png')], text: '' }, nameFor)
    expect(pasted).toMatchObject({ name: 'Pasted.png', type: 'image/png' })
    expect(await pasted?.text()).toBe('content')
  })

  test('of files keeps their names, also where their paths come along as text', () => {
    const files = [file('scan.pdf', 'application/pdf'), file('door.jpg', 'image/jpeg')]
    expect(names(pastedFiles({ files, text: '/home/me/scan.pdf' }, nameFor))).toEqual([
      'scan.pdf',
      'door.jpg',
    ])
    expect(names(pastedFiles({ files: [], text: 'Hello' }, nameFor))).toEqual([])
  })
})

test('a moment in a name is sorted by time and has no sign that a system refuses', () => {
  expect(momentInName(new Date(2026, 1, 3, 4, 5, 6))).toBe('2026-02-03 04.05.06')
})
