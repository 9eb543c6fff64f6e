import { classNames } from '../lib/class-names.ts'
import { CopyButton } from './copy-button.tsx'

export interface SecretTextProps {
  children: string
  /** What the copy button copies, for those who do not see it. */
  copyLabel: string
  /** How many characters stand together where the text is for typing off; the copy has no gaps. */
  group?: number
  className?: string
}

/** A text for a machine, to be copied or typed off: it breaks anywhere and is marked whole by one press. */
export function SecretText({ children, copyLabel, group, className }: SecretTextProps) {
  return (
    <div
      className={classNames(
        'flex items-center gap-2 rounded-md border border-border bg-sunken py-1.5 ps-3 pe-1.5',
        className,
      )}
    >
      <code
        dir="ltr"
        className="min-w-0 flex-1 font-mono text-sm [overflow-wrap:anywhere] text-text select-all"
      >
        {group ? groups(children, group) : children}
      </code>
      <CopyButton text={children} label={copyLabel} isIconOnly />
    </div>
  )
}

function groups(text: string, size: number): string {
  return text.replaceAll(new RegExp(`.{${size}}(?=.)`, 'g'), '$& ')
}
