/** The schema of /graphql. docs/schema.graphql is the same text. */
export const SCHEMA = /* GraphQL */ `"""
The id of a deployment: \`dep-…\` of a record, or \`rbk-…\` of a request for a rollback.
"""
scalar UUID

"""
ISO 8601, in UTC.
"""
scalar DateTime

type Query {
  """
  One service of an environment: \`tenant~environment~service\`, \`-\` for no tenant. \`tenant~environment\` is the environment as a whole. Or a
  name of \`helm.releases\` in the server's configuration.
  """
  instance(id: ID!): Instance

  deployment(organizationId: ID!, id: UUID!): Deployment

  """
  What a rollback would change; nothing is written. Either to a deployment (\`id\`; of one that is still proposed: what it would change now), or of
  an instance to a revision.
  """
  planDeployment(
    organizationId: ID!
    id: UUID
    instanceId: ID
    revision: String
    fields: [String!]
    hold: Boolean
    holdFor: String
  ): PlanResult!
}

type Mutation {
  """
  Proposes the rollback to a deployment that is COMPLETED and a PROVISION. It is never carried out before somebody approves it. What it restores is
  held when it is carried out, so that automation does not move it on, unless \`hold\` is false.
  """
  rollbackDeployment(
    organizationId: ID!
    id: UUID!
    "Where it is to be deployed; refused where the deployment is of another instance."
    instanceId: ID
    "Behind the sentence that names the deployment."
    message: String
    "Of the plan that was looked at."
    digest: String
    hold: Boolean = true
    "As 12h or 7d; until it is resumed where absent."
    holdFor: String
    allowRemoval: Boolean
    "Codes of checks that are to let it go ahead; needs the permission instance:deploy."
    override: [String!]
  ): DeploymentResult!

  """
  Proposes to return an instance to a revision. It holds nothing, unless \`hold\` is true.
  """
  proposeDeployment(
    organizationId: ID!
    instanceId: ID!
    "v12, a commit id, a tag, previous, last-successful."
    revision: String!
    "Why. It becomes part of the record."
    message: String!
    "Of a service; all of it where absent."
    fields: [String!]
    digest: String
    hold: Boolean = false
    holdFor: String
    allowRemoval: Boolean
    override: [String!]
  ): DeploymentResult!

  "As the query of the same name."
  planDeployment(
    organizationId: ID!
    id: UUID
    instanceId: ID
    revision: String
    fields: [String!]
    hold: Boolean
    holdFor: String
  ): PlanResult!

  """
  Approves what is PROPOSED. With enough approvals it is carried out: COMPLETED, or APPROVED or RUNNING where that takes longer than an answer waits.
  """
  approveDeployment(
    organizationId: ID!
    id: UUID!
    message: String
    "Only this plan is approved."
    digest: String
  ): DeploymentResult!

  rejectDeployment(organizationId: ID!, id: UUID!, message: String): DeploymentResult!
}

type Instance {
  id: ID!
  "The tenant; \`-\`: none."
  organizationId: ID!
  environment: String!
  service: String
  """
  What was deployed, by records that count, and what was asked for: at most the newest thousand of each.
  """
  deployments(
    "1 to 100."
    first: Int = 20
    after: String
    filter: DeploymentFilter
    sortBy: DeploymentSort = CREATED_AT
    sortOrder: SortOrder = DESC
  ): DeploymentConnection!
}

input DeploymentFilter {
  action: DeploymentAction
  status: DeploymentStatus
}

enum DeploymentSort {
  CREATED_AT
  UPDATED_AT
  VERSION
}

enum SortOrder {
  ASC
  DESC
}

enum DeploymentAction {
  PROVISION
  "The record says that it was taken away."
  DECOMMISSION
}

enum DeploymentStatus {
  "Waits for approval."
  PROPOSED
  "Waits to be carried out."
  APPROVED
  REJECTED
  PENDING
  RUNNING
  "Was deployed, also where something else is deployed by now, or it was rolled back."
  COMPLETED
  FAILED
  "Withdrawn, expired, or another one took its place before it began."
  ABORTED
}

type DeploymentConnection {
  edges: [DeploymentEdge!]!
  nodes: [Deployment!]!
  pageInfo: PageInfo!
  "Of those that the filter lets pass."
  totalCount: Int!
}

type DeploymentEdge {
  cursor: String!
  node: Deployment!
}

type PageInfo {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: String
  endCursor: String
}

type Deployment {
  id: UUID!
  instanceId: ID!
  organizationId: ID!
  "N of vN of the revision that it deployed; null where there is none yet."
  version: Int
  status: DeploymentStatus!
  action: DeploymentAction!
  message: String
  "The revision that it deployed."
  commit: String
  author: Person!
  createdAt: DateTime!
  updatedAt: DateTime!
  "Of a rollback: what it returns to."
  rollbackOf: RollbackOf
  "Of a request: what its plan is bound to."
  digest: String
  "Of a request."
  approval: Approval
  "Whether it holds what it restores."
  pinned: Boolean!
  images: [String!]!
}

type RollbackOf {
  "The newest deployment of that revision; null where none is recorded."
  id: UUID
  version: Int
  commit: String!
}

type Person {
  name: String!
  email: String!
}

type Approval {
  need: Int!
  have: Int!
  approvers: [String!]!
}

type Plan {
  instanceId: ID!
  digest: String!
  base: String!
  target: String!
  targetVersion: Int
  current: String!
  currentVersion: Int
  "Nothing is left to do."
  unchanged: Boolean!
  files: Int!
  fields: Int!
  services: [String!]!
  "Masked. The first so many, at most 500."
  changes(first: Int = 100): [FileChange!]!
  findings: [Finding!]!
  "null: it holds nothing."
  hold: PlannedHold
  "Of the caller, and whoever has to agree."
  gate: Gate
}

type FileChange {
  service: String
  path: String!
  change: String!
  diff: String
  fields: [FieldChange!]
}

type FieldChange {
  selector: String!
  op: String!
  before: String
  after: String
}

type Finding {
  code: String!
  severity: String!
  message: String!
  hint: String
  path: String
  "What the ask may add for it to go ahead although this blocks it: override, allow-removal or whole-file."
  remedy: String
  overridden: Boolean!
}

type PlannedHold {
  for: String
  fields: Int!
}

type Gate {
  needsApproval: Boolean!
  approvers: [String!]!
  "Whether the caller may propose it: instance:propose."
  mayPropose: Boolean!
  "Whether the caller may approve it: instance:deploy."
  mayApprove: Boolean!
}

"""
What was wrong with an input, or stands in the way.
"""
type Message {
  "The input's name."
  field: String!
  message: String!
  "Of the failure, as everywhere in Backtrail."
  code: String!
  hint: String
}

type DeploymentResult {
  successful: Boolean!
  result: Deployment
  messages: [Message!]!
}

type PlanResult {
  successful: Boolean!
  result: Plan
  messages: [Message!]!
}
`;
