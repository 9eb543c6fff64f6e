import { useId } from 'react'
import { Switch as AriaSwitch, type SwitchProps as AriaSwitchProps } from 'react-aria-components/Switch'

export interface SwitchProps extends Omit<AriaSwitchProps, 'className' | 'children'> {
  children: string
  /** What it means to turn it on, where its name does not say all. */
  description?: string
}

/** On or off, at once. */
export function Switch({ children, description, ...props }: SwitchProps) {
  const id = useId()
  return (
    <div className="flex flex-col gap-1">
      <AriaSwitch
        {...props}
        {...(description ? { 'aria-describedby': id } : {})}
        className="group flex cursor-pointer items-center gap-3 text-sm data-[disabled]:cursor-not-allowed data-[disabled]:opacity-55 pointer-coarse:min-h-11"
      >
        <span className="flex h-5 w-9 shrink-0 items-center rounded-full bg-border-strong p-0.5 transition-colors group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-offset-2 group-data-[focus-visible]:outline-focus group-data-[selected]:bg-accent">
          <span className="size-4 rounded-full bg-surface transition-transform group-data-[selected]:translate-x-4 rtl:group-data-[selected]:-translate-x-4" />
        </span>
        {children}
      </AriaSwitch>
      {description && (
        <p id={id} className="ps-12 text-sm text-muted">
          {description}
        </p>
      )}
    </div>
  )
}
