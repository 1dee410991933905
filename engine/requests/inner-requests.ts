/** What can be done with requests from inside. */
import type { Person, RequestId, RollbackResult } from '../model/index.ts';
import type { Gate } from '../policy/gate.ts';
import type { Ask } from '../rollback/planning/planned.ts';
import type { ExecuteRequestOptions, ProposalInput, Repeated, Requests, RequestView } from './types.ts';
import type { BatchResults } from '../rollback/batch/round.ts';
import type { ExecuteAsk, ExecuteManyOptions } from './execute-many.ts';
import type { OpenInput } from './open.ts';
import type { ManyOptions, RequestAsk, Requested, RequestingOptions } from './request.ts';

/** Not for the public: what `rollbacks` is made of, and what tests look at step by step. */
export interface InnerRequests extends Requests {
  /** What a rollback of this plan by this person needs. PERMISSION_DENIED, POLICY_UNSATISFIABLE. */
  gate(input: ProposalInput): Promise<Gate>;
  repeated(input: {
    readonly id: RequestId;
    readonly ask: Ask;
    readonly author: Person;
  }): Promise<Repeated | null>;
  /** The same id again gives the request that is there; REQUEST_EXISTS where that is another one. */
  open(input: OpenInput): Promise<RequestView>;
  executeRequest(id: RequestId, options?: ExecuteRequestOptions): Promise<RollbackResult>;
  executeRequests(asks: readonly ExecuteAsk[], options?: ExecuteManyOptions): Promise<BatchResults>;
  request(ask: RequestAsk, options?: RequestingOptions): Promise<Requested>;
  requestMany(
    asks: readonly RequestAsk[],
    options?: ManyOptions,
  ): Promise<readonly PromiseSettledResult<Requested>[]>;
}
