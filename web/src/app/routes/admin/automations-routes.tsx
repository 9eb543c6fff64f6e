import { useParams } from 'react-router'
import { AutomationPage, NewAutomationPage } from '../../../features/automations/automation-page.tsx'
import { AutomationsPage } from '../../../features/automations/automations-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function AutomationsRoute() {
  return <AutomationsPage />
}

export function NewAutomationRoute() {
  return <NewAutomationPage />
}

export function AutomationRoute() {
  const automationId = rowId(useParams()['automationId'])
  return automationId === null ? (
    <NotFoundPage />
  ) : (
    <AutomationPage key={automationId} automationId={automationId} />
  )
}
