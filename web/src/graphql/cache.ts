import { cacheExchange, type Cache, type Entity } from '@urql/exchange-graphcache'

const embedded = () => null

/**
 * The normalised cache. Every node has a globally unique `id`, so rows find themselves; what has none is kept inside
 * its parent. Lists are re-read after a change rather than patched: only the server knows what a filter lets through.
 */
export function normalisedCache() {
  return cacheExchange({
    keys: {
      InboxCounts: embedded,
      TicketSearch: embedded,
      TicketMatch: embedded,
      TicketPage: embedded,
      TicketViewCount: embedded,
      TicketViewCountConnection: embedded,
      SaveTicketViewPayload: embedded,
      DeleteTicketViewPayload: embedded,
      TicketChangedPayload: embedded,
      InboxChangedPayload: embedded,
      NotificationsChangedPayload: embedded,
      MarkNotificationReadPayload: embedded,
      MarkTicketNotificationsReadPayload: embedded,
      MarkAllNotificationsReadPayload: embedded,
      NotificationChoice: (choice) => choice['kind'] as string,
      NotificationSchedule: embedded,
      ChooseNotificationPayload: embedded,
      ResetNotificationChoicesPayload: embedded,
      ChangeNotificationSchedulePayload: embedded,
      CreateTicketPayload: embedded,
      AddCommentPayload: embedded,
      UpdateTicketPayload: embedded,
      WatchTicketPayload: embedded,
      UnwatchTicketPayload: embedded,
      RelateTicketsPayload: embedded,
      UnrelateTicketsPayload: embedded,
      MergeTicketPayload: embedded,
      UndoMergePayload: embedded,
      SplitCommentPayload: embedded,
      BulkUpdateTicketsPayload: embedded,
      BulkResult: embedded,
      RequestApprovalPayload: embedded,
      DecideApprovalPayload: embedded,
      CancelApprovalPayload: embedded,
      AddChecklistItemsPayload: embedded,
      TickChecklistItemPayload: embedded,
      MoveChecklistItemPayload: embedded,
      RemoveChecklistItemPayload: embedded,
      CreateTicketTemplatePayload: embedded,
      UpdateTicketTemplatePayload: embedded,
      CreateTicketFromTemplatePayload: embedded,
      CreateAutomationPayload: embedded,
      UpdateAutomationPayload: embedded,
      DeleteAutomationPayload: embedded,
      OrderAutomationsPayload: embedded,
      DryRunAutomationPayload: embedded,
      AutomationDryRun: embedded,
      AutomationDryRunTicket: embedded,
      CreateSlaCalendarPayload: embedded,
      UpdateSlaCalendarPayload: embedded,
      DeleteSlaCalendarPayload: embedded,
      AddSlaHolidayPayload: embedded,
      RemoveSlaHolidayPayload: embedded,
      CreateSlaPolicyPayload: embedded,
      UpdateSlaPolicyPayload: embedded,
      DeleteSlaPolicyPayload: embedded,
      OrderSlaPoliciesPayload: embedded,
      SetSlaTargetPayload: embedded,
      SetSlaEscalationPayload: embedded,
      DeleteSlaEscalationPayload: embedded,
      CreateTeamPayload: embedded,
      UpdateTeamPayload: embedded,
      DeleteTeamPayload: embedded,
      SetTeamMemberPayload: embedded,
      RemoveTeamMemberPayload: embedded,
      CreateServicePayload: embedded,
      UpdateServicePayload: embedded,
      CreateTicketStatePayload: embedded,
      UpdateTicketStatePayload: embedded,
      MakeTicketStateDefaultPayload: embedded,
      UpdateTicketSettingPayload: embedded,
      DiscardUploadPayload: embedded,
      UpdateAttachmentSettingPayload: embedded,
      SaveDraftPayload: embedded,
      DiscardDraftPayload: embedded,
      SendReplyPayload: embedded,
      SentReply: embedded,
      UndoSendPayload: embedded,
      CannedResponseMatch: embedded,
      UseCannedResponsePayload: embedded,
      CreateCannedResponsePayload: embedded,
      UpdateCannedResponsePayload: embedded,
      MacroStep: embedded,
      CreateMacroPayload: embedded,
      UpdateMacroPayload: embedded,
      ApplyMacroPayload: embedded,
      TimeTotal: embedded,
      TimeReportRow: embedded,
      RecordTimePayload: embedded,
      CorrectTimePayload: embedded,
      StartTimerPayload: embedded,
      StopTimerPayload: embedded,
      DiscardTimerPayload: embedded,
      CreateTimeActivityPayload: embedded,
      UpdateTimeActivityPayload: embedded,
      AnswerSurveyPayload: embedded,
      UpdateCsatSettingPayload: embedded,
      CsatReportRow: embedded,
      MailRendering: embedded,
      MailWording: embedded,
      SaveMailTemplatePayload: embedded,
      ResetMailTemplatePayload: embedded,
      UpdateMailSettingPayload: embedded,
      SendTestMailPayload: embedded,
      SendKeptMailsPayload: embedded,
      RetryMailPayload: embedded,
      CancelMailPayload: embedded,
      TicketPresencePayload: embedded,
      PresentPerson: embedded,
      ShowTypingPayload: embedded,
      LoginSession: (session) => session['rowId'] as string,
      TwoFactorStatus: embedded,
      MadeApiToken: embedded,
      UpdateUserPayload: embedded,
      CreateApiTokenPayload: embedded,
      RevokeApiTokenPayload: embedded,
      EndSessionPayload: embedded,
      EndOtherSessionsPayload: embedded,
      AccountLink: embedded,
      InviteUserPayload: embedded,
      ResendInvitationPayload: embedded,
      CreateAccountLinkPayload: embedded,
      SetUserTeamsPayload: embedded,
      ResetTwoFactorPayload: embedded,
      EndSessionsOfPayload: embedded,
      CreateCompanyPayload: embedded,
      UpdateCompanyPayload: embedded,
      DeleteCompanyPayload: embedded,
      CreateCustomFieldPayload: embedded,
      ChangeCustomFieldPayload: embedded,
      ArchiveCustomFieldPayload: embedded,
      ArrangeCustomFieldsPayload: embedded,
      AddIpRulePayload: embedded,
      RemoveIpRulePayload: embedded,
      ChangeSecurityPolicyPayload: embedded,
      SaveIdentityProviderPayload: embedded,
      DeleteIdentityProviderPayload: embedded,
    },
    updates: {
      Mutation: {
        // Every place that shows the timer follows at once.
        startTimer(result, _args, cache) {
          const { timer } = result['startTimer'] as { timer: Entity }
          cache.link('Query', 'currentTimer', timer)
        },
        stopTimer: (_result, _args, cache) => cache.link('Query', 'currentTimer', null),
        discardTimer: (_result, _args, cache) => cache.link('Query', 'currentTimer', null),
        saveTicketView: (_result, _args, cache) => forgetViews(cache),
        deleteTicketView: (_result, _args, cache) => forgetViews(cache),
      },
    },
    optimistic: {
      // The screen shows the new property at once; a refusal rolls it back by itself.
      updateTicket(args, cache) {
        const input = args['input'] as { id: string; patch: Record<string, unknown> }
        const { assigneeId, teamId, serviceId, requesterId, stateId, version, ...plain } = input.patch
        const state = stateId === undefined ? undefined : entityByRowId(cache, 'ticketStates', stateId)
        return {
          __typename: 'UpdateTicketPayload',
          ticket: {
            __typename: 'Ticket',
            id: input.id,
            ...plain,
            ...(state ? { state, stateId, status: state['kind'] } : {}),
            ...(assigneeId === undefined ? {} : { assignee: entityByRowId(cache, 'users', assigneeId) }),
            ...(teamId === undefined ? {} : { team: entityByRowId(cache, 'teams', teamId) }),
            ...(serviceId === undefined ? {} : { service: entityByRowId(cache, 'services', serviceId) }),
            ...(requesterId === undefined ? {} : { requesterId }),
          },
        }
      },
    },
  })
}

/** Which views there are and what is in them is asked again, wherever they are shown. */
function forgetViews(cache: Cache): void {
  for (const { fieldName, fieldKey } of cache.inspectFields('Query')) {
    if (/^(ticketView|viewTickets)/.test(fieldName)) cache.invalidate('Query', fieldKey)
  }
}

/** A choice is always made from a list that was read before, so the chosen row is found there. */
function entityByRowId(cache: Cache, list: 'users' | 'teams' | 'services' | 'ticketStates', rowId: unknown) {
  if (rowId === null) return null
  for (const field of cache.inspectFields('Query')) {
    if (field.fieldName !== list) continue
    const connection = cache.resolve('Query', field.fieldKey)
    const nodes = typeof connection === 'string' ? cache.resolve(connection, 'nodes') : null
    if (!Array.isArray(nodes)) continue
    for (const node of nodes) {
      if (typeof node === 'string' && cache.resolve(node, 'rowId') === rowId) {
        return {
          __typename: String(cache.resolve(node, '__typename')),
          id: String(cache.resolve(node, 'id')),
          rowId: String(rowId),
          name: cache.resolve(node, 'name') as string | null,
          ...(list === 'ticketStates' ? { kind: String(cache.resolve(node, 'kind')) } : {}),
        }
      }
    }
  }
  return undefined
}
