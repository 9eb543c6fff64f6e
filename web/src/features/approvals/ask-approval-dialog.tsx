import { X } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Combobox } from '../../components/combobox.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { useSubmission } from '../../lib/submission.ts'

const ApproverChoicesQuery = graphql(`
  query ApproverChoices($filter: UserFilter) {
    users(first: 50, filter: $filter, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        role
        managesCompany
        companyId
      }
    }
  }
`)

const RequestApproval = graphql(`
  mutation RequestApproval($ticketId: UUID!, $question: String!, $approverIds: [UUID]!, $rule: ApprovalRule) {
    requestApproval(
      input: { ticketId: $ticketId, question: $question, approverIds: $approverIds, rule: $rule }
    ) {
      approval {
        id
      }
    }
  }
`)

const QUESTION_LIMIT = 2000
const MOST_APPROVERS = 20

interface Person {
  rowId: string
  name: string
}

export interface AskApprovalDialogProps {
  ticketId: string
  /** The company of the ticket, whose managers may be asked though they do not see it. */
  companyId: string | null
  requesterId: string | null
  isOpen: boolean
  onClose: () => void
  onAsked: () => void
}

/** Asks people to approve something on a ticket. */
export function AskApprovalDialog(props: AskApprovalDialogProps) {
  const { ticketId, companyId, requesterId, isOpen, onClose, onAsked } = props
  const { t } = useTranslation('approvals')
  const [question, setQuestion] = useState('')
  const [people, setPeople] = useState<Person[]>([])
  const [rule, setRule] = useState<'all' | 'any'>('all')
  const [wasTried, setWasTried] = useState(false)
  const [, request] = useMutation(RequestApproval)
  const { send, isSending, problem, clear } = useSubmission()
  const questionField = useRef<HTMLTextAreaElement>(null)
  const isEmpty = question.trim() === ''
  const isLong = question.length > QUESTION_LIMIT

  function close() {
    setQuestion('')
    setPeople([])
    setRule('all')
    setWasTried(false)
    clear()
    onClose()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (isEmpty || isLong) return questionField.current?.focus()
    if (people.length === 0) return
    void send(async () => {
      const approverIds = people.map((person) => person.rowId)
      dataOf(await request({ ticketId, question: question.trim(), approverIds, rule }))
      notify({ tone: 'success', title: t('asked') })
      close()
      onAsked()
    })
  }

  return (
    <DraftDialog title={t('ask')} isOpen={isOpen} hasDraft={!isEmpty || people.length > 0} onClose={close}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-5">
        <TextArea
          label={t('question')}
          description={t('questionHint')}
          rows={3}
          value={question}
          onChange={setQuestion}
          limit={QUESTION_LIMIT}
          textAreaRef={questionField}
          autoFocus
          error={
            (wasTried && isEmpty && t('questionMissing')) ||
            (isLong && t('questionLong', { limit: QUESTION_LIMIT })) ||
            null
          }
        />
        <div className="flex flex-col gap-2">
          <ApproverField
            chosen={people}
            companyId={companyId}
            requesterId={requesterId}
            isFull={people.length >= MOST_APPROVERS}
            error={wasTried && people.length === 0 ? t('peopleMissing') : null}
            onAdd={(person) => setPeople([...people, person])}
          />
          {people.length > 0 && (
            <ul aria-label={t('people')} className="flex flex-wrap gap-2">
              {people.map((person) => (
                <li
                  key={person.rowId}
                  className="flex items-center gap-1 rounded-full bg-sunken ps-3 text-sm"
                >
                  {person.name}
                  <Button
                    size="small"
                    variant="quiet"
                    isIconOnly
                    aria-label={t('leaveOut', { name: person.name })}
                    onPress={() => setPeople(people.filter((each) => each !== person))}
                  >
                    <X className="size-3.5" aria-hidden="true" />
                  </Button>
                </li>
              ))}
            </ul>
          )}
        </div>
        {people.length > 1 && (
          <Segmented
            label={t('whose')}
            value={rule}
            onChange={setRule}
            segments={[
              { value: 'all', label: t('rule.all') },
              { value: 'any', label: t('rule.any') },
            ]}
          />
        )}
        {problem && <ProblemAlert problem={problem} />}
        <div className="flex flex-wrap gap-3">
          <Button type="submit" variant="primary" isPending={isSending}>
            {t('send')}
          </Button>
        </div>
      </form>
    </DraftDialog>
  )
}

interface ApproverFieldProps {
  chosen: readonly Person[]
  companyId: string | null
  requesterId: string | null
  isFull: boolean
  error: string | null
  onAdd: (person: Person) => void
}

/** Colleagues, the requester and who decides for the company; the server looks for what is typed. */
function ApproverField({ chosen, companyId, requesterId, isFull, error, onAdd }: ApproverFieldProps) {
  const { t } = useTranslation('approvals')
  const [search, setSearch] = useState('')
  const words = useDebounced(search.trim())
  const [{ data }] = useQuery({
    query: ApproverChoicesQuery,
    variables: {
      filter: {
        disabledAt: { isNull: true },
        or: [
          { role: { in: ['agent', 'manager', 'admin'] } },
          ...(companyId ? [{ companyId: { equalTo: companyId } }] : []),
          ...(requesterId ? [{ rowId: { equalTo: requesterId } }] : []),
        ],
        ...(words === '' ? {} : { name: { includesInsensitive: words } }),
      },
    },
  })
  const found = (data?.users?.nodes ?? [])
    .filter((node) => node !== null)
    .filter(
      ({ role, managesCompany, rowId }) => role !== 'customer' || managesCompany || rowId === requesterId,
    )
    .filter((person) => !chosen.some((each) => each.rowId === person.rowId))
  return (
    <Combobox
      // Empty again after each choice.
      key={chosen.length}
      label={t('whom')}
      placeholder={t('whomPlaceholder')}
      value={null}
      isDisabled={isFull}
      error={error}
      choices={found.map((person) => ({
        value: person.rowId,
        label: person.name,
        ...(person.role === 'customer'
          ? { description: t(person.managesCompany ? 'companyManager' : 'customer') }
          : {}),
      }))}
      onSearch={setSearch}
      onChange={(rowId) => {
        const person = found.find((each) => each.rowId === rowId)
        if (person) onAdd({ rowId: person.rowId, name: person.name })
        setSearch('')
      }}
    />
  )
}
