import { Bug, CircleCheck, FileQuestion, FileX2, Hourglass, ShieldOff, type LucideIcon } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { sizeText } from '../../lib/file-kind.ts'
import { useSubmission } from '../../lib/submission.ts'
import { DecisionDialog, type Decision } from './decision-dialog.tsx'

export const QuarantinedFileFragment = graphql(`
  fragment QuarantinedFile on StoredFile {
    id
    sha256
    state
    size
    contentType
    signature
    createdAt
    scannedAt
    names
    reason
    decidedAt
    decidedBy {
      id
      name
    }
    uploadedBy {
      id
      name
    }
    tickets(first: 5) {
      nodes {
        id
        number
        reference
        subject
      }
    }
  }
`)

const ScanFileAgain = graphql(`
  mutation ScanFileAgain($sha256: String!) {
    scanFileAgain(input: { sha256: $sha256 }) {
      storedFile {
        id
        state
        signature
      }
    }
  }
`)

type State = ResultOf<typeof QuarantinedFileFragment>['state']

const LOOKS: Record<
  State,
  { tone: 'danger' | 'warning' | 'info' | 'success' | 'neutral'; sign: LucideIcon }
> = {
  infected: { tone: 'danger', sign: Bug },
  unscannable: { tone: 'warning', sign: FileQuestion },
  pending: { tone: 'info', sign: Hourglass },
  released: { tone: 'success', sign: ShieldOff },
  removed: { tone: 'neutral', sign: FileX2 },
  clean: { tone: 'success', sign: CircleCheck },
  unscanned: { tone: 'neutral', sign: CircleCheck },
}

export interface QuarantinedFileProps {
  file: FragmentOf<typeof QuarantinedFileFragment>
  onDecided: () => void
}

/** One content: what it is called, where it is, what was found in it, and what can be done about it. */
export function QuarantinedFile({ file: row, onDecided }: QuarantinedFileProps) {
  const { t, i18n } = useTranslation('quarantine')
  const file = readFragment(QuarantinedFileFragment, row)
  const [decision, setDecision] = useState<Decision | null>(null)
  const item = useRef<HTMLLIElement>(null)
  const [first, ...otherNames] = file.names.filter((each) => each !== null)
  const name = first ?? t('nameless')
  const { tone, sign } = LOOKS[file.state]
  const isHeld = file.state === 'infected' || file.state === 'unscannable'
  const tickets = file.tickets.nodes.filter((ticket) => ticket !== null)

  /** What was pressed goes with the state it was offered for: the focus stays in the row. */
  function followScan() {
    const { activeElement } = document
    if (activeElement === document.body || item.current?.contains(activeElement)) {
      item.current?.focus({ preventScroll: true })
    }
    onDecided()
  }

  return (
    <li ref={item} tabIndex={-1} className="flex flex-col gap-3 px-4 py-4 sm:px-5 lg:flex-row lg:items-start">
      <div className="flex min-w-0 flex-1 flex-col gap-1.5 text-sm">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <p className="min-w-0 font-medium [overflow-wrap:anywhere]">{name}</p>
          <Pill tone={tone} sign={sign}>
            {t(`state.${file.state}`)}
          </Pill>
        </div>
        {otherNames.length > 0 && (
          <p className="text-muted [overflow-wrap:anywhere]">
            {t('alsoNamed', { names: new Intl.ListFormat(i18n.language).format(otherNames) })}
          </p>
        )}
        {file.signature && (
          <p className="[overflow-wrap:anywhere]">
            <span className="text-muted">{t(file.state === 'unscannable' ? 'because' : 'found')}</span>{' '}
            <code className="rounded-sm bg-sunken px-1.5 py-0.5 font-mono text-xs">{file.signature}</code>
          </p>
        )}
        <p className="text-muted">
          {sizeText(Number(file.size), i18n.language)}
          {' · '}
          <span className="[overflow-wrap:anywhere]">{file.contentType}</span>
          {' · '}
          {t('from', { name: file.uploadedBy?.name ?? t('nobody') })} <RelativeTime at={file.createdAt} />
          {file.scannedAt && (
            <>
              {' · '}
              {t('scanned')} <RelativeTime at={file.scannedAt} />
            </>
          )}
        </p>
        {tickets.length > 0 ? (
          <ul aria-label={t('tickets')} className="flex flex-col gap-0.5">
            {tickets.map((ticket) => (
              <li key={ticket.id} className="truncate">
                <TextLink to={`/desk/tickets/${ticket.number}`}>{ticket.reference}</TextLink> {ticket.subject}
              </li>
            ))}
          </ul>
        ) : (
          <p className="text-muted">{t('onNoTicket')}</p>
        )}
        {file.decidedAt && file.reason && (
          <p className="[overflow-wrap:anywhere]">
            <span className="text-muted">
              {t(`decided.${file.state === 'released' ? 'released' : 'removed'}`, {
                name: file.decidedBy?.name ?? t('retention'),
              })}{' '}
              <RelativeTime at={file.decidedAt} />:
            </span>{' '}
            {file.reason}
          </p>
        )}
      </div>
      {file.state !== 'removed' && (
        <div className="flex shrink-0 flex-wrap gap-2">
          {isHeld && (
            <>
              <ScanAgain sha256={file.sha256} name={name} onAsked={followScan} />
              <Button
                size="small"
                aria-label={t('release.of', { name })}
                onPress={() => setDecision('release')}
              >
                {t('release.open')}
              </Button>
            </>
          )}
          <Button size="small" aria-label={t('remove.of', { name })} onPress={() => setDecision('remove')}>
            {t('remove.open')}
          </Button>
        </div>
      )}
      <DecisionDialog
        decision={decision}
        sha256={file.sha256}
        name={name}
        signature={file.signature}
        onClose={() => setDecision(null)}
        onDecided={onDecided}
      />
    </li>
  )
}

interface ScanAgainProps {
  sha256: string
  name: string
  onAsked: () => void
}

function ScanAgain({ sha256, name, onAsked }: ScanAgainProps) {
  const { t } = useTranslation(['quarantine', 'errors'])
  const [, scanAgain] = useMutation(ScanFileAgain)
  const { send, isSending } = useSubmission()
  return (
    <Button
      size="small"
      variant="quiet"
      aria-label={t('again.of', { name })}
      isPending={isSending}
      onPress={() =>
        void send(
          async () => {
            dataOf(await scanAgain({ sha256 }))
            notify({ tone: 'success', title: t('again.done', { name }) })
            onAsked()
          },
          ({ code }) => {
            notify({ tone: 'danger', title: t(`errors:${code}`) })
            onAsked()
          },
        )
      }
    >
      {t('again.open')}
    </Button>
  )
}
