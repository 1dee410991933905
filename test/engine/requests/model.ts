/** A request as simply as it can be said, to compare the real ones with. */
export const ACTIONS = ['approve', 'reject', 'cancel', 'retry', 'note', 'executeRequest'] as const;
export type Action = (typeof ACTIONS)[number];

export interface Model {
  readonly status: string;
  readonly votes: readonly string[];
}

export const NEED = 2;
export const BEGINNING: Model = { status: 'pending', votes: [] };

/** The code of the refusal, or null where it is done. `author` asked for it. */
export function refusal(
  { status, votes }: Model,
  action: Action,
  actor: string,
  author: string,
): string | null {
  const pending = status === 'pending' ? null : 'REQUEST_NOT_PENDING';
  switch (action) {
    case 'approve':
    case 'reject':
      if (pending !== null) return pending;
      if (actor === author) return 'OWN_REQUEST';
      return votes.includes(actor) ? 'ALREADY_REVIEWED' : null;
    case 'cancel':
      // What is approved may be withdrawn by whoever could approve it, too.
      if (status === 'approved' || (pending === null && actor === author)) return null;
      return pending ?? 'PERMISSION_DENIED';
    case 'retry':
      return status === 'failed' ? null : 'REQUEST_NOT_FAILED';
    case 'note':
      return null;
    case 'executeRequest':
      if (status === 'pending') return 'AWAITING_APPROVAL';
      return status === 'approved' || status === 'completed' ? null : 'REQUEST_CLOSED';
  }
}

/** The model after an action that was done. */
export function after(model: Model, action: Action, actor: string): Model {
  const { votes } = model;
  switch (action) {
    case 'approve': {
      const all = [...votes, actor];
      return { status: all.length === NEED ? 'approved' : 'pending', votes: all };
    }
    case 'reject':
      return { status: 'rejected', votes: [...votes, actor] };
    case 'cancel':
      return { ...model, status: 'cancelled' };
    case 'executeRequest':
      return { ...model, status: 'completed' };
    case 'retry':
    case 'note':
      return model;
  }
}

/** The action that an event of the ledger is the trace of. */
export const ACTION_OF: Readonly<Record<string, Action>> = {
  approved: 'approve',
  rejected: 'reject',
  cancelled: 'cancel',
  noted: 'note',
  completed: 'executeRequest',
};
