import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { COMPANY_NAME_LIMIT, companyNameFault } from './company-name.ts'

export const CompanyDialogFragment = graphql(`
  fragment CompanyDialog on Company {
    id
    rowId
    name
    sharesTickets
  }
`)

const CreateCompany = graphql(`
  mutation CreateCompany($name: String!, $sharesTickets: Boolean) {
    createCompany(input: { name: $name, sharesTickets: $sharesTickets }) {
      company {
        id
      }
    }
  }
`)

const UpdateCompany = graphql(
  `
    mutation UpdateCompany($id: ID!, $patch: CompanyPatch!) {
      updateCompany(input: { id: $id, patch: $patch }) {
        company {
          id
          updatedAt
          ...CompanyDialog
        }
      }
    }
  `,
  [CompanyDialogFragment],
)

const DeleteCompany = graphql(`
  mutation DeleteCompany($companyId: UUID!) {
    deleteCompany(input: { companyId: $companyId }) {
      deleted
    }
  }
`)

export interface CompanyDialogProps {
  /** The company to change; null makes one. */
  company: FragmentOf<typeof CompanyDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, renames, opens up or removes a company. */
export function CompanyDialog({ company, isOpen, onClose, onChanged }: CompanyDialogProps) {
  const { t } = useTranslation('companies')
  const saved = readFragment(CompanyDialogFragment, company)
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog title={saved ? saved.name : t('make')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <CompanyForm
        company={saved}
        onDraft={setHasDraft}
        onClose={onClose}
        onSaved={(name) => {
          notify({ tone: 'success', title: t(saved ? 'saved' : 'made', { name }) })
          onClose()
          onChanged()
        }}
      />
      {saved && (
        <Removal
          company={saved}
          onRemoved={() => {
            notify({ tone: 'success', title: t('removed', { name: saved.name }) })
            onClose()
            onChanged()
          }}
        />
      )}
    </DraftDialog>
  )
}

interface Company {
  id: string
  rowId: string
  name: string
  sharesTickets: boolean
}

interface CompanyFormProps {
  company: Company | null
  /** Tells whether something is typed that is not saved. */
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onSaved: (name: string) => void
}

function CompanyForm({ company, onDraft, onClose, onSaved }: CompanyFormProps) {
  const { t } = useTranslation(['companies', 'components'])
  const [typed, setTyped] = useState(company?.name ?? '')
  const [shares, setShares] = useState(company?.sharesTickets ?? false)
  const [wasTried, setWasTried] = useState(false)
  const [, createCompany] = useMutation(CreateCompany)
  const [, updateCompany] = useMutation(UpdateCompany)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const fault = companyNameFault(typed)
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged = typed.trim() !== (company?.name ?? '') || shares !== (company?.sharesTickets ?? false)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return input.current?.focus()
    const name = typed.trim()
    void send(
      async () => {
        if (company) {
          dataOf(await updateCompany({ id: company.id, patch: { name, sharesTickets: shares } }))
        } else {
          dataOf(await createCompany({ name, sharesTickets: shares }))
        }
        onSaved(name)
      },
      ({ code }) => code === 'CONFLICT' && input.current?.focus(),
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('name')}
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(value) => {
          setTyped(value)
          if (problem) clear()
        }}
        limit={COMPANY_NAME_LIMIT}
        inputRef={input}
        error={isTaken ? t('nameFault.taken') : wasTried && fault ? t(`nameFault.${fault}`) : null}
      />
      <Switch isSelected={shares} onChange={setShares} description={t('sharingHint')}>
        {t('sharing')}
      </Switch>
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {company ? t('components:save') : t('make')}
        </Button>
      </div>
    </form>
  )
}

function Removal({ company, onRemoved }: { company: Company; onRemoved: () => void }) {
  const { t } = useTranslation('companies')
  const [, deleteCompany] = useMutation(DeleteCompany)
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 border-t border-border pt-4">
      <p className="max-w-[36ch] text-sm text-muted">{t('removeHint')}</p>
      <ConfirmedButton
        title={t('removeTitle', { name: company.name })}
        explanation={t('removeBody')}
        action={t('remove')}
        run={async () => {
          dataOf(await deleteCompany({ companyId: company.rowId }))
          onRemoved()
        }}
      >
        {t('remove')}
      </ConfirmedButton>
    </div>
  )
}
