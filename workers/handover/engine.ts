/** What is needed of an engine to hand requests over and to find out what came of them. */
import type {
  LedgerRequest,
  ObjectId,
  PullRequestView,
  RequestId,
  RollbackResult,
} from '../../engine/model/index.ts';

export interface HandoverEngine {
  location(): string;
  destination(): Promise<{ readonly branch: string }>;
  findRequest(id: RequestId): Promise<ObjectId | null>;
  findRequests(ids: readonly RequestId[]): Promise<ReadonlyMap<RequestId, unknown>>;
  readonly requests: { show(input: { readonly id: RequestId }): Promise<KnownRequest> };
  readonly rollbacks: {
    execute(id: RequestId): Promise<RollbackResult>;
    executeMany(
      asks: readonly { readonly id: RequestId }[],
    ): Promise<ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>>;
  };
}

/** As the ledger has it. */
export interface KnownRequest extends LedgerRequest {
  readonly pullRequest?: PullRequestView;
}

/** A request that nobody has to agree to any more. */
export type ApprovedRequest = Pick<LedgerRequest, 'id' | 'scope' | 'base' | 'target' | 'digest'>;

/** Workers use their own credentials: none are put into the queue. An ssh user name is not a secret. */
export function withoutLogin(location: string): string {
  return location.replace(/^(https?:\/\/)[^/?#]*@/i, '$1');
}
