import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FramedPage } from '../../components/framed-page.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'

export const RenderedMailFragment = graphql(`
  fragment RenderedMail on MailRendering {
    subject
    textBody
    htmlBody
  }
`)

/** A mail as its recipient sees it, in either of its two shapes. */
export function RenderedMail({ mail: held }: { mail: FragmentOf<typeof RenderedMailFragment> }) {
  const { t } = useTranslation('mail')
  const mail = readFragment(RenderedMailFragment, held)
  const [shape, setShape] = useState<'html' | 'text'>('html')
  return (
    <div className="flex min-w-0 flex-col">
      <div className="flex flex-wrap items-center justify-between gap-3 border-b border-border px-5 py-3">
        <p className="min-w-0 font-medium [overflow-wrap:anywhere]">
          <span className="sr-only">{t('rendered.subject')} </span>
          {mail.subject}
        </p>
        <Segmented
          label={t('rendered.shape')}
          value={shape}
          onChange={setShape}
          segments={[
            { value: 'html', label: t('rendered.html') },
            { value: 'text', label: t('rendered.text') },
          ]}
        />
      </div>
      {shape === 'html' ? (
        <FramedPage
          title={t('rendered.title')}
          html={mail.htmlBody}
          className="max-h-180 min-h-60 w-full rounded-b-xl"
        />
      ) : (
        <pre className="px-5 py-4 font-mono text-sm [overflow-wrap:anywhere] whitespace-pre-wrap">
          {mail.textBody}
        </pre>
      )}
    </div>
  )
}
