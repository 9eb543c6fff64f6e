import { beforeEach, describe, expect, test } from 'vitest'
import { mailsOn } from '../support/mails.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const mails = mailsOn(stage)

const save = 'select id from app_public.save_mail_template($1, $2, $3, $4)'
const reply = 'Hello {{recipient.first_name}}\n\n{{comment.body}}'
interface Rendering {
  subject: string
  text_body: string
  html_body: string
}
const preview = (
  kind: string,
  body: string,
  { subject = 'About {{ticket.subject}}', locale = 'en', color = null as string | null } = {},
) =>
  stage.does<Rendering>(
    stage.acme.admin,
    'select to_jsonb(mail) from app_public.preview_mail_template($1, $2, $3, $4, brand_color => $5) as mail',
    [kind, locale, subject, body, color],
  )
const speaks = (locale: string | null) =>
  stage.superuser.query('update app_public.users set locale = $2 where id = $1', [
    stage.acme.customer.userId,
    locale,
  ])
const textOf = async (fact?: Parameters<typeof mails.write>[1]) =>
  (await mails.toSend((await mails.write(stage.acme.customer, fact))!))!

beforeEach(async () => {
  await stage.superuser.query('delete from app_public.mail_templates')
  await speaks(null)
})

describe('words of an organization', () => {
  test('are for admins', async () => {
    const { acme } = stage
    for (const actor of [acme.customer, acme.agent, acme.manager, acme.worker]) {
      expect(await stage.refuses(actor, save, ['reply', 'en', 'x', reply])).toBe('42501')
      expect(await stage.refuses(actor, `select app_public.reset_mail_template('reply', 'en')`)).toBe('42501')
      expect(await stage.refuses(actor, 'select app_public.mail_wordings()')).toBe('42501')
      expect(
        await stage.refuses(actor, `select app_public.preview_mail_template('reply', 'en', 'x', 'y')`),
      ).toBe('42501')
      expect(await stage.refuses(actor, 'select id from app_public.mail_settings')).toMatch(/42501/)
    }
  })

  test.each([
    ['reply', 'x {{ticket.secret}}', reply, 'AD252'],
    ['reply', 'x', `${reply} {{internal_fields}}`, 'AD252'],
    ['reply', 'x', `${reply} {{file_link:1}}`, 'AD252'],
    ['reply', 'x', `${reply} {{survey_link}}`, 'AD252'],
    ['reply', 'x', `${reply} {{`, 'AD252'],
    ['reply', 'x', 'Without the answer', 'AD253'],
    ['survey', 'x', 'Without its link', 'AD253'],
    ['digest', 'x', 'Without its notices', 'AD253'],
    ['reply', ' ', reply, '23514'],
    ['reply', 'two\nlines', reply, '23514'],
    ['reply', 'x'.repeat(201), reply, '23514'],
    ['reply', 'x', reply + 'x'.repeat(20_000), '23514'],
  ])('of %s are refused: %s', async (kind, subject, body, code) => {
    expect(await stage.refuses(stage.acme.admin, save, [kind, 'en', subject, body])).toBe(code)
  })

  test('are used from the next mail on, for those who read that language, in that organization', async () => {
    const { acme, globex } = stage
    await stage.does(acme.admin, save, [
      'reply',
      'de',
      'Zu {{ticket.subject}}',
      'Servus {{recipient.first_name}}!\n\n{{comment.body}}',
    ])
    expect((await textOf()).text).toContain('Hello customer of acme,')
    await speaks('de-AT')
    const mail = await textOf()
    expect(mail.subject).toBe('[ATUM-1001] Zu No network')
    expect(mail.text).toContain('Servus customer!')
    expect(mail.text).toContain('##- Bitte antworten Sie oberhalb dieser Zeile -##')
    expect(mail.html).toContain('<html lang="de">')
    await stage.superuser.query(`update app_public.users set locale = 'de' where id = $1`, [
      globex.customer.userId,
    ])
    expect((await mails.toSend((await mails.write(globex.customer))!, globex))!.text).toContain('Guten Tag')

    // What was written says what it said.
    const before = (await mails.write(acme.customer))!
    expect(await stage.does(acme.admin, `select app_public.reset_mail_template('reply', 'de')`)).toBe(true)
    expect(await stage.does(acme.admin, `select app_public.reset_mail_template('reply', 'de')`)).toBe(false)
    expect((await mails.toSend(before))!.text).toContain('Servus customer!')
    expect((await textOf()).text).toContain('Guten Tag customer of acme,')
  })

  test('in the language of the organization are next for who reads one that nobody wrote', async () => {
    const { acme } = stage
    await speaks('fr')
    expect((await textOf()).text).toContain('Hello customer of acme,')
    await stage.superuser.query(`update app_public.organizations set locale = 'de' where id = $1`, [
      acme.organizationId,
    ])
    expect((await textOf()).text).toContain('Guten Tag customer of acme,')
    await stage.does(acme.admin, save, [
      'reply',
      'fr',
      'Sur {{ticket.subject}}',
      'Bonjour\n\n{{comment.body}}',
    ])
    expect((await textOf()).text).toContain('Bonjour')
    await stage.superuser.query(`update app_public.organizations set locale = 'en' where id = $1`, [
      acme.organizationId,
    ])
  })

  test('stand beside those that are built in, which are there in two languages for each kind', async () => {
    const { acme } = stage
    const wordings = (column: string) =>
      stage.sees(acme.admin, `select ${column} from app_public.mail_wordings()`)
    const kinds = (
      await stage.superuser.query<{ kind: string }>(
        'select unnest(enum_range(null::app_public.mail_kind))::text as kind',
      )
    ).rows
    expect(await wordings(`kind || ' ' || locale`)).toEqual(
      kinds.flatMap(({ kind }) => [`${kind} de`, `${kind} en`]),
    )
    await stage.does(acme.admin, save, ['reply', 'en', 'Mine', reply])
    expect(
      await wordings(`case when is_changed then concat_ws('|', kind, locale, subject, built_in_subject) end`),
    ).toContain('reply|en|Mine|{{ticket.subject}}')
    expect(
      (await stage.sees(stage.globex.admin, 'select is_changed from app_public.mail_wordings()')).every(
        (own) => own === false,
      ),
    ).toBe(true)
  })

  test('that are built in would all be taken', async () => {
    const { rows } = await stage.superuser.query<{
      kind: string
      locale: string
      subject: string
      body: string
    }>('select * from app_hidden.built_in_mail_templates()')
    for (const { kind, locale, subject, body } of rows) {
      expect(await stage.refuses(stage.acme.admin, save, [kind, locale, subject, body])).toBe('accepted')
    }
  })
})

describe('a mail as HTML', () => {
  test('loads nothing, and nothing in it runs', async () => {
    const { rows } = await stage.superuser.query<{
      kind: string
      locale: string
      subject: string
      body: string
    }>('select * from app_hidden.built_in_mail_templates()')
    for (const { kind, locale, subject, body } of rows) {
      const { html_body, text_body } = await preview(kind, body, { subject, locale })
      expect(html_body).not.toMatch(
        /<(script|img|link|iframe|object|form|table|base|meta http)|src=|url\(|@import|\son\w+=/i,
      )
      expect(html_body.startsWith('<!doctype html>\n<html lang="')).toBe(true)
      expect(html_body).toContain('prefers-color-scheme: dark')
      // No variable and no gap is left.
      expect(html_body + text_body).not.toMatch(/\{\{|\}\}/)
      for (const link of html_body.match(/href="[^"]*"/g) ?? [])
        expect(link).toMatch(/^href="https:\/\/desk\.example/)
    }
  })

  test('is the text, with every value escaped, paragraphs, lines and links', async () => {
    const mail = await preview(
      'reply',
      'Dear {{recipient.name}} & <friends>,\nsee https://acme.example/?a=1&b=2.\n\n{{comment.body}}',
    )
    expect(mail.subject).toBe('[ATUM-1042] About The lamp in the hall flickers')
    expect(mail.text_body).toContain(
      'Dear Ada Lovelace & <friends>,\nsee https://acme.example/?a=1&b=2.\n\nit was a loose',
    )
    expect(mail.html_body).toContain(
      'Dear Ada Lovelace &amp; &lt;friends&gt;,<br>\nsee <a href="https://acme.example/?a=1&amp;b=2">https://acme.example/?a=1&amp;b=2</a>.</p>',
    )
    expect(mail.html_body).toContain('Tell us: &lt;one word will do&gt;.')
  })

  test('has buttons of lines that are a label and a link, readable on any colour', async () => {
    const button = async (color: string) =>
      /<a class="button" href="([^"]*)" style="[^"]*background:([^;]*);color:([^"]*)">([^<]*)</
        .exec((await preview('reply', `${reply}\n\nOpen it: {{ticket_link}}`, { color })).html_body)!
        .slice(1)
    expect(await button('#27459b')).toEqual([
      'https://desk.example/portal/tickets/1042',
      '#27459b',
      '#ffffff',
      'Open it',
    ])
    expect(await button('#ffe14d')).toEqual([
      'https://desk.example/portal/tickets/1042',
      '#ffe14d',
      '#16181d',
      'Open it',
    ])
    expect(
      await stage.refuses(
        stage.acme.admin,
        `select app_public.preview_mail_template('reply', 'en', 'x', 'y', brand_color => 'red;}')`,
      ),
    ).toBe('22023')
  })

  test('leaves out paragraphs of which nothing is there', async () => {
    const text = (await textOf({ kind: 'resolution', commentId: null })).text
    expect(text).not.toMatch(/\n\n\n/)
    expect(text).not.toContain('Files')
  })

  test('carries the look that the organization gave it', async () => {
    const { acme } = stage
    await stage.does(
      acme.admin,
      `update app_public.mail_settings set sender_name = 'Acme & Co', brand_color = '#ff0066', footer = E'Acme Ltd\n<Berlin> {{link:/x}}' returning id`,
    )
    const mail = await textOf()
    expect(mail.from.name).toBe('Acme & Co')
    expect(mail.text).toMatch(/-- \nAcme & Co\nAcme Ltd\n<Berlin> \{\{link:\/x\}\}\n$/)
    expect(mail.html).toContain('border-top:4px solid #ff0066')
    expect(mail.html).toContain('Acme Ltd<br>\n&lt;Berlin&gt; {{link:/x}}')
    for (const [column, given] of [
      ['brand_color', 'red'],
      ['brand_color', '#FFF'],
      ['sender_name', 'A\nB'],
      ['sender_name', ' '],
    ]) {
      expect(
        await stage.refuses(acme.admin, `update app_public.mail_settings set ${column} = $1`, [given]),
      ).toBe('23514')
    }
    expect(
      await stage.touches(
        stage.globex.admin,
        `update app_public.mail_settings set footer = 'x' where organization_id = $1`,
        [acme.organizationId],
      ),
    ).toBe(0)
  })
})

describe('a notice', () => {
  const said = async (facts: Record<string, unknown>, locale: string | null = null) => {
    await stage.superuser.query('update app_public.users set locale = $2 where id = $1', [
      stage.acme.agent.userId,
      locale,
    ])
    const id = (await mails.write(stage.acme.agent, { kind: 'notice', commentId: null, facts }))!
    return (await mails.toSend(id))!
  }

  test.each([
    [
      { event: 'assignee_changed', actor_name: 'Ada' },
      'Ada assigned the ticket to you',
      'Ada hat Ihnen das Ticket zugewiesen',
    ],
    [
      { event: 'comment_added', kind: 'mention', actor_name: 'Ada' },
      'Ada mentioned you',
      'Ada hat Sie erwähnt',
    ],
    [
      { event: 'status_changed', status: 'pending' },
      'The ticket is pending now',
      'Das Ticket ist jetzt wartend',
    ],
    [
      { event: 'mail_failed', name: 'Ada' },
      'A mail to Ada could not be delivered',
      'Eine Mail an Ada konnte nicht zugestellt werden',
    ],
    [{ event: 'something_new' }, 'There is something new about the ticket', 'Es gibt Neues zum Ticket'],
    [{ event: 'comment_added' }, 'Somebody answered', 'Jemand hat geantwortet'],
  ])('of %o has words', async (facts, english, german) => {
    expect((await said(facts)).subject).toBe(`[ATUM-1001] ${english}`)
    expect((await said(facts, 'de')).subject).toBe(`[ATUM-1001] ${german}`)
  })

  test('has words for every event that is told', async () => {
    const { rows } = await stage.superuser.query<{ type: string }>(
      `select type::text from unnest(enum_range(null::app_public.ticket_event_type)) as type
      where app_private.notification_kind_of(jsonb_populate_record(null::app_public.ticket_events, jsonb_build_object(
        'organization_id', $1::uuid, 'ticket_id', $2::uuid, 'type', type, 'visibility', 'public',
        'before', '{"status": "open"}'::jsonb, 'after', '{"status": "pending"}'::jsonb
      ))) is not null`,
      [stage.acme.organizationId, stage.acme.ticketId],
    )
    expect(rows.length).toBeGreaterThan(10)
    for (const { type } of rows) expect((await said({ event: type })).subject).not.toContain('something new')
  })

  test('of several is one mail, each with its way there', async () => {
    const id = (await mails.write(stage.acme.agent, {
      kind: 'digest',
      ticketId: null,
      commentId: null,
      facts: {
        count: 2,
        notifications: [
          {
            event: 'assignee_changed',
            actor_name: 'Ada',
            number: 7,
            reference: 'ATUM-7',
            subject: '<Lamps>',
          },
          {
            event: 'sla_warned',
            number: 8,
            reference: 'ATUM-8',
            subject: 'Doors',
            due_at: '2026-03-01T12:00:00Z',
          },
        ],
      },
    }))!
    await stage.superuser.query('update app_public.users set locale = null where id = $1', [
      stage.acme.agent.userId,
    ])
    const mail = (await mails.toSend(id))!
    expect(mail.text).toMatch(
      /- ATUM-7: Ada .+\n {2}<Lamps>\n {2}https:\/\/desk\.example\/desk\/tickets\/7\n\n- ATUM-8/,
    )
    expect(mail.html).toContain('&lt;Lamps&gt;<br>\n<a href="https://desk.example/desk/tickets/7">')
  })
})
