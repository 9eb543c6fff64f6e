import { useParams } from 'react-router'
import { NewWebhookPage, WebhookPage } from '../../../features/webhooks/webhook-page.tsx'
import { WebhooksPage } from '../../../features/webhooks/webhooks-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function WebhooksRoute() {
  return <WebhooksPage />
}

export function NewWebhookRoute() {
  return <NewWebhookPage />
}

export function WebhookRoute() {
  const webhookId = rowId(useParams()['webhookId'])
  return webhookId === null ? <NotFoundPage /> : <WebhookPage key={webhookId} webhookId={webhookId} />
}
