import type { ReactElement } from 'react'
import { Tooltip as AriaTooltip, TooltipTrigger } from 'react-aria-components/Tooltip'

/** A word on what a sign means, on hover and on keyboard focus. `children` is one pressable or focusable element. */
export function Tooltip({ text, children }: { text: string; children: ReactElement }) {
  return (
    <TooltipTrigger delay={400} closeDelay={80}>
      {children}
      <AriaTooltip
        offset={6}
        className="max-w-64 rounded-md bg-text px-2 py-1 text-xs text-canvas shadow-raised data-[entering]:animate-enter"
      >
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  )
}
