/** What the public may ask of clusters. */
import type { Drift, LiveStatus, Person, RequestId, RollbackLive } from '../model/index.ts';

export interface LiveAsk {
  /** Whose permission to `read` is asked. Absent: nobody's. */
  readonly reader?: Person | undefined;
  readonly signal?: AbortSignal;
  /** Milliseconds: what a cluster answered this long ago, to whoever asked, is taken for an answer. 0 where absent: it is asked anew. */
  readonly maxAge?: number;
}

/** Whether clusters run what Git holds. Every call asks them anew, unless it allows for answers of some age; one that cannot be asked is `unconfirmed`, and never an error. */
export interface Live {
  /**
   * Of a service, or of all services of an environment.
   *
   * @throws LIVE_NOT_CONFIGURED where no entry of `live` matches, SCOPE_INVALID, TENANT_UNKNOWN, ENVIRONMENT_UNKNOWN, SERVICE_UNKNOWN,
   * PERMISSION_DENIED
   */
  status(ask: LiveAsk & { readonly scope: string }): Promise<LiveStatus>;
  /**
   * Of the revision that a rollback published.
   *
   * @throws REQUEST_UNKNOWN where the branch does not hold it, LIVE_NOT_CONFIGURED, PERMISSION_DENIED
   */
  ofRollback(ask: LiveAsk & { readonly requestId: RequestId }): Promise<RollbackLive>;
  /** How the cluster differs from what was delivered. @throws as `status` */
  drift(ask: LiveAsk & { readonly scope: string }): Promise<Drift>;
}
