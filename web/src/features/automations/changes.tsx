import { useTranslation } from 'react-i18next'

/** The kinds of change that a run led to, as words. */
export function Changes({ changes }: { changes: unknown }) {
  const { t, i18n } = useTranslation('automations')
  const types = (Array.isArray(changes) ? changes : []).flatMap((change: unknown) =>
    typeof change === 'object' && change !== null && 'type' in change && typeof change.type === 'string'
      ? [change.type]
      : [],
  )
  const words = [...new Set(types)].map((type) =>
    t(`change.${type}` as 'change.other', { defaultValue: t('change.other') }),
  )
  return <>{new Intl.ListFormat(i18n.language).format([...new Set(words)])}</>
}
