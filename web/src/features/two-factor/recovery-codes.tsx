import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { downloadText } from '../../lib/download.ts'

export interface RecoveryCodesProps {
  codes: readonly string[]
  /** Whose they are, for the file that is kept. */
  account: string
  /** What comes next, as a verb. */
  action: string
  onKept: () => void
}

/** The recovery codes, shown this once; one goes on only after saying that they are kept. */
export function RecoveryCodes({ codes, account, action, onKept }: RecoveryCodesProps) {
  const { t } = useTranslation('two-factor')
  const [areKept, setAreKept] = useState(false)
  const text = codes.join('\n')
  return (
    <div className="@container flex flex-col gap-5">
      <ol
        aria-label={t('codes.list')}
        dir="ltr"
        className="grid gap-x-6 gap-y-1.5 rounded-lg border border-border bg-sunken px-4 py-3.5 font-mono text-sm @md:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code} className="select-all">
            {code}
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={text} label={t('codes.copy')} />
        <Button
          size="small"
          onPress={() => downloadText(t('codes.file'), `${t('codes.fileHead', { account })}\n\n${text}\n`)}
        >
          <Download className="size-4" aria-hidden="true" />
          {t('codes.download')}
        </Button>
      </div>
      <Checkbox isSelected={areKept} onChange={setAreKept}>
        {t('codes.kept')}
      </Checkbox>
      <Button variant="primary" size="large" className="self-start" isDisabled={!areKept} onPress={onKept}>
        {action}
      </Button>
    </div>
  )
}
