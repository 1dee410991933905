/** An incident that a server plans, asks for and follows. */
import { type Engine, isFailure, resultOf } from '../../engine/index.ts';
import type { Incident, Item } from '../../workers/incident/index.ts';
import { LEFT, type Waiting } from './following.ts';
import { failureAs, type Http } from './http.ts';

/** What the server says of it, as `incident -o json` does. */
interface Recovered {
  readonly rollbacks: readonly {
    readonly requestId: string;
    readonly status: string;
    readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
  }[];
}

/** An engine that is elsewhere. */
export interface RemoteEngine extends Engine {
  /** Has the server do it, and waits for what came of each; the outcome of each is stored in its item. */
  recover(incident: Incident, items: readonly Item[]): Promise<void>;
}

export const isRemote = (engine: Engine): engine is RemoteEngine => 'recover' in engine;

const BETWEEN_MS = 1000;
const UNDER_WAY: ReadonlySet<string> = new Set(['approved', 'executing']);

interface Recovering {
  readonly http: Http;
  readonly engine: Pick<Engine, 'requests' | 'rollbacks'>;
  readonly waiting: Waiting;
}

export async function recoverOver(
  { http, engine, waiting }: Recovering,
  { id, reason, atomic, onFailure, rollbacks }: Incident,
  items: readonly Item[],
): Promise<void> {
  const found = await until(http, waiting, { id, reason, atomic, onFailure, rollbacks });
  const own = new Map(found.rollbacks.map((each) => [each.requestId, each]));
  for (const item of items) {
    const { status, error } = own.get(item.id) ?? {};
    if (error) item.error = failureAs(error);
    else if (status === 'completed' || status === 'proposed')
      item.result = await engine.rollbacks.execute(item.id);
    else if (status === 'pending' || status === 'approved') {
      const request = await engine.requests.show({ id: item.id, reader: NOBODY });
      item.request = request;
      // It was waited for, in vain.
      if (status === 'approved' && request.status === 'approved' && request.proposed === null)
        item.result = resultOf(request, 'approved', { findings: [LEFT] });
    }
  }
}

/** Who asks says the server. */
const NOBODY = { name: '', email: '' };

/** The same again goes on with what is left; what no worker begins with is left to one that is started later. */
async function until(http: Http, { sleep, leftMs }: Waiting, incident: object): Promise<Recovered> {
  for (let waited = 0; ; waited += BETWEEN_MS) {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's tests hold it to its document
      const found = (await http.send('POST', '/incidents', incident)) as Recovered;
      const hasFailed = found.rollbacks.some(({ error }) => error !== undefined);
      const isLeft = found.rollbacks.some(
        ({ status }) => UNDER_WAY.has(status) || (status === 'not started' && !hasFailed),
      );
      if (found.rollbacks.some(({ status }) => status === 'executing')) waited = 0;
      if (!isLeft || waited > leftMs) return found;
    } catch (error) {
      const value = isFailure(error) ? error.details : {};
      if (!Array.isArray(value['rollbacks'])) throw error;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same of a failure
      return value as unknown as Recovered;
    }
    await sleep(BETWEEN_MS);
  }
}
