/** The payload of each job, as `app_private.enqueue` writes it: ids only, the organization always. */
declare global {
  namespace GraphileWorker {
    interface Tasks {
      record_sla_breach: { organizationId: string; slaCalculationId: string }
      sweep_sla_breaches: Record<string, never>
    }
  }
}

export {}
