import { beforeEach, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'
import { uploadsOn } from '../support/uploads.ts'

const stage = setStage()
const { upload } = uploadsOn(stage)
const own = 'select name from app_public.own_uploads()'

let ticketId: string
beforeEach(async () => {
  ticketId = await stage.does<string>(
    stage.acme.customer,
    `select id from app_public.create_ticket('The gate', 'Shut')`,
  )
})

test('own uploads are nobody else’s, and none that was sent or discarded', async () => {
  expect(await stage.refuses({ role: 'atum_anonymous' }, own)).toBe('42501')
  const ofAgent = await upload(stage.acme.agent, { name: 'of the agent.txt' })
  const sent = await upload(stage.acme.customer, { name: 'sent.txt' })
  await stage.does(
    stage.acme.customer,
    `select (app_public.add_comment($1, 'Here', attachment_ids => $2)).id`,
    [ticketId, [sent.id]],
  )
  const discarded = await upload(stage.acme.customer, { name: 'discarded.txt' })
  await stage.does(stage.acme.customer, 'select app_public.discard_upload($1)', [discarded.id])
  await upload(stage.acme.customer, { name: 'first.txt' })
  const second = await upload(stage.acme.customer, { name: 'second.txt' })

  expect(await stage.sees(stage.acme.customer, own)).toEqual(['second.txt', 'first.txt'])
  const asked = 'select name from app_public.own_uploads($1)'
  expect(await stage.sees(stage.acme.customer, asked, [[second.id, sent.id, ofAgent.id]])).toEqual([
    'second.txt',
  ])
  expect(await stage.sees(stage.acme.agent, own)).toEqual(['of the agent.txt'])
  for (const other of [stage.acme.admin, stage.globex.customer])
    expect(await stage.sees(other, own)).toEqual([])
})
