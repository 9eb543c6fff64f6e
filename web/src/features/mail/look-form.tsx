import { useEffect, useId, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Card } from '../../components/card.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { LivePreview } from './live-preview.tsx'

export const LookFragment = graphql(`
  fragment MailLook on MailSetting {
    id
    senderName
    brandColor
    footer
    acknowledges
  }
`)

const UpdateLook = graphql(
  `
    mutation UpdateMailLook($id: ID!, $patch: MailSettingPatch!) {
      updateMailSetting(input: { id: $id, patch: $patch }) {
        mailSetting {
          id
          ...MailLook
        }
      }
    }
  `,
  [LookFragment],
)

const FOOTER_LIMIT = 2000

interface Look {
  senderName: string
  brandColor: string
  footer: string
  acknowledges: boolean
}

export interface LookFormProps {
  settings: FragmentOf<typeof LookFragment>
  organizationName: string
  /** The words of a mail to show the look with. */
  sample: { locale: string; subject: string; body: string }
  /** Told whether another look is typed than the one that is saved. */
  onLook: (isOther: boolean) => void
}

/** From whom mails are, and how they look, with a mail that looks so beside it. */
export function LookForm({ settings: held, organizationName, sample, onLook }: LookFormProps) {
  const { t } = useTranslation('mail')
  const settings = readFragment(LookFragment, held)
  const colorId = useId()
  const [changes, setChanges] = useState<Partial<Look>>({})
  const [, update] = useMutation(UpdateLook)
  const { send, isSending, problem, clear } = useSubmission()
  const kept: Look = { ...settings, senderName: settings.senderName ?? '' }
  const look: Look = { ...kept, ...changes }
  const color = look.brandColor.trim().toLowerCase()
  const isColor = /^#[0-9a-f]{6}$/.test(color)
  const isFaulty = !isColor || look.footer.length > FOOTER_LIMIT || look.senderName.trim().length > 120
  const isChanged = (Object.keys(kept) as (keyof Look)[]).some((name) => look[name] !== kept[name])
  useEffect(() => onLook(isChanged), [isChanged, onLook])

  function change(part: Partial<Look>) {
    setChanges({ ...changes, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isFaulty) return
    void send(async () => {
      const patch = {
        senderName: look.senderName.trim() || null,
        brandColor: color,
        footer: look.footer.trim(),
        acknowledges: look.acknowledges,
      }
      dataOf(await update({ id: settings.id, patch }))
      setChanges({})
      notify({ tone: 'success', title: t('look.saved') })
    })
  }

  return (
    <SettingsSection title={t('look.title')} intro={t('look.intro')}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-5 p-5">
        <TextField
          label={t('look.senderName.label')}
          description={t('look.senderName.hint', { name: organizationName })}
          placeholder={organizationName}
          autoComplete="off"
          maxLength={120}
          value={look.senderName}
          onChange={(senderName) => change({ senderName })}
        />
        <div className="flex items-end gap-3">
          <div className="min-w-0 flex-1">
            <TextField
              label={t('look.color.label')}
              autoComplete="off"
              spellCheck="false"
              value={look.brandColor}
              onChange={(brandColor) => change({ brandColor })}
              error={isColor ? null : t('look.color.fault')}
            />
          </div>
          <label htmlFor={colorId} className="sr-only">
            {t('look.color.pick')}
          </label>
          <input
            id={colorId}
            type="color"
            value={isColor ? color : settings.brandColor}
            onChange={(event) => change({ brandColor: event.target.value })}
            className="h-11 w-14 shrink-0 cursor-pointer rounded-md border border-border-strong bg-surface p-1"
          />
        </div>
        <TextArea
          label={t('look.footer.label')}
          description={t('look.footer.hint')}
          rows={3}
          limit={FOOTER_LIMIT}
          value={look.footer}
          onChange={(footer) => change({ footer })}
        />
        <Switch
          isSelected={look.acknowledges}
          onChange={(acknowledges) => change({ acknowledges })}
          description={t('look.acknowledges.hint')}
        >
          {t('look.acknowledges.label')}
        </Switch>
        {problem && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={isChanged}
          isSending={isSending}
          onDiscard={() => {
            setChanges({})
            clear()
          }}
        />
        <Card className="overflow-hidden bg-canvas">
          <LivePreview
            draft={{
              kind: 'reply',
              ...sample,
              senderName: look.senderName.trim() || organizationName,
              brandColor: isColor ? color : settings.brandColor,
              footer: look.footer.slice(0, FOOTER_LIMIT),
            }}
          />
        </Card>
      </form>
    </SettingsSection>
  )
}
