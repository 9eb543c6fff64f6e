/** The payload of each job, as `app_private.enqueue` writes it: ids only, the organization always. */
declare global {
  namespace GraphileWorker {
    interface Tasks {
      announce_ticket_events: { organizationId: string; ticketId: string }
      deliver_webhook: { organizationId: string; webhookId: string; lane: string }
      deliver_reply: { organizationId: string; outgoingReplyId: string }
      index_tickets: { organizationId: string; requesterId?: string }
      fire_sla_escalation: { organizationId: string; slaCalculationId: string }
      process_incoming_mail: { organizationId: string; incomingMailId: string }
      place_file: { organizationId: string; sha256: string }
      recompute_sla_clocks: { organizationId: string; slaRecomputationId: string }
      record_sla_breach: { organizationId: string; slaCalculationId: string }
      remove_old_notifications: Record<string, never>
      remove_old_files: Record<string, never>
      rescan_files: Record<string, never>
      run_automations: { organizationId: string; ticketId: string }
      scan_file: { organizationId: string; sha256: string }
      send_account_mail: { organizationId: string; accountMailId: string }
      send_mail: { organizationId: string; mailId: string }
      send_survey: { organizationId: string; surveyId: string }
      stop_forgotten_timer: { organizationId: string; timerId: string }
      sweep_announcements: Record<string, never>
      sweep_mail: Record<string, never>
      sweep_mailboxes: Record<string, never>
      sweep_contents: { organizationId: string }
      sweep_outgoing_replies: Record<string, never>
      sweep_silent_tickets: Record<string, never>
      sweep_automations: Record<string, never>
      sweep_sla_breaches: Record<string, never>
      sweep_sla_escalations: Record<string, never>
      sweep_snoozed_tickets: Record<string, never>
      sweep_surveys: Record<string, never>
      sweep_throttles: Record<string, never>
      sweep_webhooks: Record<string, never>
      test_mailbox: { organizationId: string; mailboxId: string }
      sweep_waiting_files: Record<string, never>
      wake_ticket: { organizationId: string; ticketId: string }
      write_digests: Record<string, never>
    }
  }
}

export {}
