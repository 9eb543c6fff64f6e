import { useMutation } from 'urql'
import { graphql, type ResultOf, type VariablesOf } from '../../graphql/tada.ts'

const CreateTicket = graphql(`
  mutation CreateTicket(
    $subject: String!
    $body: String!
    $priority: TicketPriority
    $serviceId: UUID
    $requesterId: UUID
    $customFields: JSON
    $tags: [String]
    $attachmentIds: [UUID]
    $clientMutationKey: String
  ) {
    createTicket(
      input: {
        subject: $subject
        body: $body
        priority: $priority
        serviceId: $serviceId
        requesterId: $requesterId
        customFields: $customFields
        tags: $tags
        attachmentIds: $attachmentIds
        clientMutationKey: $clientMutationKey
      }
    ) {
      ticket {
        id
        number
        reference
      }
    }
  }
`)

const CreateTicketFromTemplate = graphql(`
  mutation CreateTicketFromTemplate(
    $templateId: UUID!
    $subject: String
    $body: String
    $requesterId: UUID
    $customFields: JSON
    $attachmentIds: [UUID]
    $clientMutationKey: String
  ) {
    createTicketFromTemplate(
      input: {
        templateId: $templateId
        subject: $subject
        body: $body
        requesterId: $requesterId
        customFields: $customFields
        attachmentIds: $attachmentIds
        clientMutationKey: $clientMutationKey
      }
    ) {
      ticket {
        id
        number
        reference
      }
    }
  }
`)

export type CreatedTicket = NonNullable<NonNullable<ResultOf<typeof CreateTicket>['createTicket']>['ticket']>

export type NewTicket = VariablesOf<typeof CreateTicket> | VariablesOf<typeof CreateTicketFromTemplate>

/** Opens a ticket; with a template, what is not said comes from there. */
export function useCreateTicket() {
  const [plain, createPlain] = useMutation(CreateTicket)
  const [templated, createTemplated] = useMutation(CreateTicketFromTemplate)
  return {
    isCreating: plain.fetching || templated.fetching,
    async create(ticket: NewTicket) {
      if ('templateId' in ticket) {
        const { data, error } = await createTemplated(ticket)
        return { ticket: data?.createTicketFromTemplate?.ticket ?? null, error }
      }
      const { data, error } = await createPlain(ticket)
      return { ticket: data?.createTicket?.ticket ?? null, error }
    },
  }
}
