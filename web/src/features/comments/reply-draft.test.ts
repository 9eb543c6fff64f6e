import { describe, expect, test } from 'vitest'
import type { HeldFile } from '../../graphql/attachments.ts'
import {
  BLANK_REPLY,
  bothOf,
  isBlank,
  reconcile,
  told,
  type ReplyDraft,
  type ServerDraft,
} from './reply-draft.ts'

/** `saved` is the text that the server has. */
const local = (values: Partial<ReplyDraft> = {}): ReplyDraft => ({
  ...BLANK_REPLY,
  ...values,
  saved: told({ ...BLANK_REPLY, body: values.saved ?? '' }),
})
const server = (values: Partial<ServerDraft> = {}): ServerDraft => ({
  body: 'On the desk',
  stateId: null,
  files: [],
  visibility: 'public',
  version: 2,
  refusedCode: null,
  ...values,
})

describe('a draft of this browser and one of the server', () => {
  test('that were both written on since they were one are left to their author', () => {
    for (const mine of [
      local({ body: 'On the train', version: 1, saved: 'On' }),
      local({ body: 'Never saved' }),
    ]) {
      expect(reconcile(mine, server())).toEqual({ kind: 'conflict', server: server() })
    }
  })

  test('are that of the server where nothing was written here since', () => {
    const taken = { kind: 'settled', draft: local({ body: 'On the desk', saved: 'On the desk', version: 2 }) }
    for (const mine of [
      local(),
      local({ body: '  ' }),
      local({ body: 'On', version: 1, saved: 'On' }),
      local({ body: 'On the desk', version: 1, saved: 'On' }),
    ]) {
      expect(reconcile(mine, server())).toEqual(taken)
    }
    expect(reconcile(local(), server({ visibility: 'internal' }))).toMatchObject({
      draft: { visibility: 'internal' },
    })
  })

  test('are that of this browser where it goes on from the one of the server', () => {
    expect(reconcile(local({ body: 'On the desk, more', version: 2, saved: 'On' }), server())).toEqual({
      kind: 'settled',
      draft: local({ body: 'On the desk, more', version: 2, saved: 'On the desk' }),
    })
  })
})

describe('files', () => {
  const file = (id: string): HeldFile => ({
    id,
    name: id,
    size: 1,
    contentType: 'text/plain',
    state: 'clean',
  })

  test('are written as words are: a draft of nothing else is no blank one, and a conflict is one', () => {
    const mine = local({ files: [file('mine')] })
    expect(isBlank(mine)).toBe(false)
    expect(reconcile(mine, server())).toEqual({ kind: 'conflict', server: server() })
    expect(reconcile(mine, server({ body: '', files: [file('mine')] }))).toMatchObject({
      kind: 'settled',
      draft: { version: 2, files: [{ id: 'mine' }] },
    })
  })

  test('of both are kept, each once', () => {
    const both = bothOf(server({ files: [file('a'), file('b')], stateId: 'pending' }), {
      body: ' ',
      stateId: null,
      files: [file('b'), file('c')],
    })
    expect(both.files.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(both).toMatchObject({ body: 'On the desk', stateId: 'pending' })
  })

  test('that wait for the scanner are no other draft when it has looked', () => {
    const held: ReplyDraft = { ...BLANK_REPLY, files: [file('a')], version: 2 }
    const saved = { ...held, saved: told(held) }
    const looked = server({ body: '', version: 3, files: [{ ...file('a'), state: 'unscanned' }] })
    expect(reconcile(saved, looked)).toMatchObject({ draft: { files: [{ state: 'unscanned' }] } })
  })
})

describe('a draft that the server has no more', () => {
  test('is gone here too, where it was sent as it was', () => {
    expect(reconcile(local({ body: 'Sent', version: 3, saved: 'Sent' }), null)).toEqual({
      kind: 'settled',
      draft: BLANK_REPLY,
    })
  })

  test('stays here as one of its own, where it was written on', () => {
    expect(reconcile(local({ body: 'Sent, and more', version: 3, saved: 'Sent' }), null)).toEqual({
      kind: 'settled',
      draft: local({ body: 'Sent, and more' }),
    })
    expect(reconcile(local({ body: 'Typed offline' }), null)).toEqual({
      kind: 'settled',
      draft: local({ body: 'Typed offline' }),
    })
  })
})
