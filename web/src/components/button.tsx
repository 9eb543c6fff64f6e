import type { ReactNode, Ref } from 'react'
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { buttonClasses, type ButtonLook } from './button-classes.ts'
import { Spinner } from './spinner.tsx'

export interface ButtonProps
  extends Omit<AriaButtonProps, 'className' | 'children' | 'isPending'>, ButtonLook {
  children?: ReactNode
  className?: string
  isPending?: boolean
  buttonRef?: Ref<HTMLButtonElement> | undefined
}

/**
 * The button. While `isPending` it keeps its width and its focus, shows a spinner and does nothing. (The primitive has
 * a pending state of its own, whose announcement outlives the button when the page changes.)
 */
export function Button({
  variant,
  size,
  isIconOnly,
  className,
  isPending = false,
  children,
  buttonRef,
  ...props
}: ButtonProps) {
  const { t } = useTranslation('components')
  const { onPress, type, ...rest } = props
  return (
    <AriaButton
      {...rest}
      ref={buttonRef}
      {...(isPending ? { type: 'button' } : { ...(type ? { type } : {}), ...(onPress ? { onPress } : {}) })}
      data-pending={isPending || undefined}
      className={buttonClasses({ variant, size, isIconOnly }, className)}
    >
      <span className={classNames('contents', isPending && 'invisible')}>{children}</span>
      {isPending && (
        <span className="absolute inset-0 grid place-items-center">
          <Spinner className="size-4" />
          <span className="sr-only">{t('working')}</span>
        </span>
      )}
    </AriaButton>
  )
}
