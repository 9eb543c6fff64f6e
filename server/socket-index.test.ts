import { expect, test } from 'vitest'
import type { Bearer } from './caller.ts'
import { SocketIndex } from './socket-index.ts'

const session = (organizationId: string, userId: string, sessionId: string): Bearer => ({
  organizationId,
  userId,
  sessionId,
  role: 'agent',
  expiresAt: 0,
})

test('finds sockets by session, person, API token and organization, and forgets them wholly', () => {
  const index = new SocketIndex<string>()
  index.add('first', session('acme', 'ada', 'one'))
  index.add('second', session('acme', 'ada', 'two'))
  index.add('third', {
    organizationId: 'acme',
    userId: 'bob',
    apiTokenId: 'token',
    tokenHash: '',
    role: 'agent',
    isReadOnly: true,
    expiresAt: null,
  })
  index.add('fourth', session('globex', 'eve', 'three'))
  const found = (id?: string) => [...index.of(id)].map(([socket]) => socket)
  expect(found('one')).toEqual(['first'])
  expect(found('ada')).toEqual(['first', 'second'])
  expect(found('token')).toEqual(['third'])
  expect(found('acme')).toEqual(['first', 'second', 'third'])
  expect(found()).toEqual(['first', 'second', 'third', 'fourth'])
  expect(found('nobody')).toEqual([])
  expect(index.count('ada')).toBe(2)

  // Closing one takes it out while they are gone through.
  for (const [socket] of index.of('acme')) index.remove(socket)
  expect(found()).toEqual(['fourth'])
  expect(index.count('ada')).toBe(0)
  index.remove('first')
  expect(found('globex')).toEqual(['fourth'])
})
