/** Reads the mails that it is sent, one at a time, away from everything that must go on. */
import { parentPort } from 'node:worker_threads'
import { readMail } from './parse-mail.ts'

const port = parentPort!
port.on('message', (source: Uint8Array) => {
  readMail(Buffer.from(source.buffer, source.byteOffset, source.byteLength)).then(
    (mail) => port.postMessage({ mail }),
    (error: unknown) => port.postMessage({ error: String(error) }),
  )
})
