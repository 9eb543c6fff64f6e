import { afterAll, beforeAll, expect, test } from 'vitest'
import { withClient } from '../../infra/dev/database.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

/** Files as uploads and the scanner leave them, on a comment of some ticket. */
const bring = (files: { name: string; state: string; signature?: string }[]) =>
  withClient(stage.database.superuserUrl, (client) =>
    client.query(
      `with listed as (
        select * from json_to_recordset($1) as listed (name text, state app_public.file_state, signature text)
      ), comment as (
        select comment.* from app_public.comments as comment
        join app_public.organizations as organization on organization.id = comment.organization_id
        where organization.slug = 'acme' order by comment.id limit 1
      ), file as (
        insert into app_public.stored_files (organization_id, sha256, size, content_type, state, signature, scanned_at)
        select comment.organization_id, encode(sha256(listed.name::bytea), 'hex'), 26214400, 'application/zip', listed.state,
          listed.signature, case when listed.state <> 'pending' then now() end
        from comment cross join listed returning *
      )
      insert into app_public.attachments (organization_id, ticket_id, comment_id, uploaded_by_id, name, sha256, size, content_type, state)
      select comment.organization_id, comment.ticket_id, comment.id, comment.author_id, listed.name, file.sha256, file.size, file.content_type, file.state
      from listed
      join file on file.sha256 = encode(sha256(listed.name::bytea), 'hex')
      cross join comment`,
      [JSON.stringify(files)],
    ),
  )

test('what is held back is looked at, released and removed with a reason, and nothing else happens by a slip', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/quarantine')
  await admin.getByText('Nothing is held back').waitFor()
  expect(await violationsOf(admin)).toEqual([])

  await bring([
    { name: 'invoice.zip', state: 'infected', signature: 'Win.Test.Eicar' },
    { name: 'photos.zip', state: 'unscannable', signature: 'Heuristics.Encrypted.Zip' },
  ])
  await admin.reload()
  const list = admin.getByRole('list', { name: 'Quarantine' })
  const row = (name: string) =>
    list
      .getByRole('listitem')
      .filter({ has: admin.getByText(name, { exact: true }) })
      .first()
  await row('invoice.zip').getByText('Win.Test.Eicar').waitFor()
  await row('invoice.zip').getByText('Infected').waitFor()
  await row('photos.zip').getByText('Not scannable').waitFor()
  expect(await row('photos.zip').getByRole('link').count()).toBe(1)
  expect(await violationsOf(admin)).toEqual([])

  // By state.
  await admin.getByRole('button', { name: /Show$/ }).click()
  await admin.getByRole('option', { name: 'Could not be scanned' }).click()
  await row('invoice.zip').waitFor({ state: 'detached' })
  await row('photos.zip').waitFor()
  // The address says so: for whoever reads it again, and for whoever comes back to it.
  await admin.reload()
  await row('photos.zip').waitFor()
  expect(await row('invoice.zip').count()).toBe(0)
  await admin.getByRole('link', { name: 'Satisfaction' }).first().click()
  await admin.waitForURL('**/satisfaction')
  await admin.goBack()
  await row('photos.zip').waitFor()
  expect(await row('invoice.zip').count()).toBe(0)

  // Neither without a reason nor without having said that one is sure.
  await admin.getByRole('button', { name: 'Release photos.zip' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByText('Heuristics.Encrypted.Zip').waitFor()
  expect(await violationsOf(admin)).toEqual([])
  await dialog.getByRole('button', { name: 'Release file' }).click()
  await dialog.getByText('Say why.').waitFor()
  await dialog.getByText('Confirm this first.').waitFor()
  await dialog.getByLabel('Reason').fill('Our customer sends his photos locked')
  await dialog.getByRole('button', { name: 'Release file' }).click()
  await dialog.getByText('I know what this file is').click()
  await dialog.getByRole('button', { name: 'Release file' }).click()
  await admin.getByText('photos.zip is released').waitFor()
  await admin.getByText('Every file could be scanned').waitFor()

  await admin.getByRole('button', { name: /Show$/ }).click()
  await admin.getByRole('option', { name: 'Released' }).click()
  await row('photos.zip').getByText('Our customer sends his photos locked').waitFor()

  // What is typed is not lost by a press of Escape.
  await admin.getByRole('button', { name: /Show$/ }).click()
  await admin.getByRole('option', { name: 'Infected' }).click()
  await admin.getByRole('button', { name: 'Remove invoice.zip' }).click()
  await dialog.getByLabel('Reason').fill('It is a virus')
  await admin.keyboard.press('Escape')
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click()
  await dialog.getByText('I know that this cannot be undone').click()
  await dialog.getByRole('button', { name: 'Remove file' }).click()
  await admin.getByText('invoice.zip is removed').waitFor()
  await admin.getByText('No file is infected').waitFor()
  expect(complaints).toEqual([])
})

test('a file is scanned again when somebody asks for it, and agents have no part in it', async () => {
  const admin = await stage.open({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  await bring([{ name: 'large.iso', state: 'unscannable', signature: 'Larger than the scanner accepts' }])
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/quarantine')
  await admin.getByRole('button', { name: 'Scan large.iso again' }).click()
  await admin.getByText('large.iso waits for the scanner').waitFor()
  // Without a scanner it is held back no longer: no list is left, and the focus is not lost with it.
  await admin.getByText('Nothing is held back').waitFor()
  await expect.poll(() => admin.evaluate('document.activeElement.tagName')).toBe('H1')
  expect(await violationsOf(admin)).toEqual([])
  expect(await admin.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)

  const agent = await stage.open()
  await logIn(agent, 'desk', 'agent@acme.example', '/desk/admin/quarantine')
  await agent.waitForURL((url) => !url.pathname.includes('quarantine'))
})
