import { Switch as AriaSwitch, type SwitchProps as AriaSwitchProps } from 'react-aria-components/Switch'

/** On or off, at once. */
export function Switch({
  children,
  ...props
}: Omit<AriaSwitchProps, 'className' | 'children'> & { children: string }) {
  return (
    <AriaSwitch {...props} className="group flex cursor-pointer items-center gap-3 text-sm">
      <span className="flex h-5 w-9 shrink-0 items-center rounded-full bg-border-strong p-0.5 transition-colors group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-offset-2 group-data-[focus-visible]:outline-focus group-data-[selected]:bg-accent">
        <span className="size-4 rounded-full bg-surface transition-transform group-data-[selected]:translate-x-4 rtl:group-data-[selected]:-translate-x-4" />
      </span>
      {children}
    </AriaSwitch>
  )
}
