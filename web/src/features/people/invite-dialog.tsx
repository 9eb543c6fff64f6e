import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ButtonLink } from '../../components/button-link.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { useSubmission } from '../../lib/submission.ts'
import { CompanyField } from './company-field.tsx'
import { HandOverLink } from './hand-over-link.tsx'
import {
  BLANK_INVITATION,
  emailFault,
  invitationOf,
  NAME_LIMIT,
  nameFault,
  type InvitationDraft,
} from './invitation-draft.ts'
import { RoleField } from './role-field.tsx'
import { TeamsField } from './teams-field.tsx'

const InviteUser = graphql(`
  mutation InviteUser($email: String!, $name: String!, $role: UserRole, $companyId: UUID, $teamIds: [UUID]) {
    inviteUser(input: { email: $email, name: $name, role: $role, companyId: $companyId, teamIds: $teamIds }) {
      user {
        id
        rowId
        name
        email
      }
    }
  }
`)

interface Invited {
  rowId: string
  name: string
  email: string
}

export interface InviteDialogProps {
  isOpen: boolean
  onClose: () => void
  onInvited: () => void
}

/** Invites a person, or several one after the other. */
export function InviteDialog({ isOpen, onClose, onInvited }: InviteDialogProps) {
  const { t } = useTranslation('people')
  const [draft, setDraft] = useState(BLANK_INVITATION)
  const [invited, setInvited] = useState<Invited | null>(null)

  function close() {
    if (!invited) setDraft(BLANK_INVITATION)
    setInvited(null)
    onClose()
  }

  return (
    <DraftDialog
      hasDraft={!invited && (draft.email.trim() !== '' || draft.name.trim() !== '')}
      title={invited ? t('invite.doneTitle', { name: invited.name }) : t('invite.title')}
      isOpen={isOpen}
      onClose={close}
    >
      {invited ? (
        <InvitationSent invited={invited} onAnother={() => setInvited(null)} onClose={close} />
      ) : (
        <InviteForm
          draft={draft}
          onChange={setDraft}
          onCancel={close}
          onInvited={(person) => {
            // Whoever invites several people invites them to the same work.
            setDraft({ ...draft, email: '', name: '' })
            setInvited(person)
            onInvited()
          }}
        />
      )}
    </DraftDialog>
  )
}

interface InviteFormProps {
  draft: InvitationDraft
  onChange: (draft: InvitationDraft) => void
  onCancel: () => void
  onInvited: (person: Invited) => void
}

function InviteForm({ draft, onChange, onCancel, onInvited }: InviteFormProps) {
  const { t } = useTranslation(['people', 'components'])
  const sendsMail = useSendsMail()
  const [, inviteUser] = useMutation(InviteUser)
  const [wasTried, setWasTried] = useState(false)
  const { send, isSending, problem, clear } = useSubmission()
  const emailInput = useRef<HTMLInputElement>(null)
  const nameInput = useRef<HTMLInputElement>(null)
  const wrongEmail = emailFault(draft.email)
  const wrongName = nameFault(draft.name)
  const isTaken = problem?.code === 'ADDRESS_TAKEN'

  const edit = (part: Partial<InvitationDraft>) => {
    onChange({ ...draft, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (wrongEmail) return emailInput.current?.focus()
    if (wrongName) return nameInput.current?.focus()
    void send(
      async () => {
        const { inviteUser: answer } = dataOf(await inviteUser(invitationOf(draft)))
        if (answer?.user) onInvited(answer.user)
      },
      ({ code }) => code === 'ADDRESS_TAKEN' && emailInput.current?.focus(),
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <p className="text-sm text-muted">{t(sendsMail ? 'invite.intro' : 'invite.introWithoutMail')}</p>
      <TextField
        label={t('email')}
        type="email"
        name="email"
        autoComplete="off"
        inputMode="email"
        autoFocus
        value={draft.email}
        onChange={(email) => edit({ email })}
        inputRef={emailInput}
        error={
          isTaken ? t('emailFault.taken') : wasTried && wrongEmail ? t(`emailFault.${wrongEmail}`) : null
        }
      />
      <TextField
        label={t('name')}
        name="name"
        autoComplete="off"
        value={draft.name}
        onChange={(name) => edit({ name })}
        limit={NAME_LIMIT}
        inputRef={nameInput}
        error={wasTried && wrongName ? t(`nameFault.${wrongName}`) : null}
      />
      <RoleField value={draft.role} onChange={(role) => edit({ role })} />
      {draft.role === 'customer' ? (
        <CompanyField value={draft.company} onChange={(company) => edit({ company })} />
      ) : (
        <TeamsField value={draft.teamIds} onChange={(teamIds) => edit({ teamIds })} />
      )}
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onCancel}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {t(sendsMail ? 'invite.send' : 'invite.sendWithoutMail')}
        </Button>
      </div>
    </form>
  )
}

interface InvitationSentProps {
  invited: Invited
  onAnother: () => void
  onClose: () => void
}

function InvitationSent({ invited, onAnother, onClose }: InvitationSentProps) {
  const { t } = useTranslation('people')
  const sendsMail = useSendsMail()
  return (
    <div className="flex flex-col gap-5">
      {sendsMail ? (
        <>
          <p role="status" className="text-muted">
            {t('invite.done', { email: invited.email })}
          </p>
          <section className="flex flex-col gap-2.5 rounded-lg border border-border p-4">
            <h3 className="text-sm font-semibold">{t('invite.noMailTitle')}</h3>
            <p className="text-sm text-muted">{t('invite.noMail')}</p>
            <HandOverLink userId={invited.rowId} purpose="invitation" />
          </section>
        </>
      ) : (
        <>
          <p role="status" className="text-muted">
            {t('link.noMailServer')}
          </p>
          <HandOverLink userId={invited.rowId} purpose="invitation" />
        </>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <ButtonLink to={invited.rowId} variant="quiet" className="me-auto">
          {t('invite.toPerson')}
        </ButtonLink>
        <Button onPress={onAnother}>{t('invite.another')}</Button>
        <Button variant="primary" onPress={onClose}>
          {t('invite.close')}
        </Button>
      </div>
    </div>
  )
}
