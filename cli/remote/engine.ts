/** An engine that is elsewhere: a server is asked in its place, and says who the caller is. */
import type { Person } from '../../engine/index.ts';
import { actingOver } from './acting.ts';
import { LEFT_MS, type Waiting } from './following.ts';
import { elsewhere, openHttp } from './http.ts';
import { recoverOver, type RemoteEngine } from './incident.ts';
import { liveOver } from './live.ts';
import { createLocate, readingOver } from './reading.ts';

export interface RemoteSettings extends Pick<Waiting, 'sleep'>, Partial<Pick<Waiting, 'leftMs'>> {
  readonly server: string;
  readonly tokenFile?: string | undefined;
}

/** @throws INVALID_REQUEST for an address or a token file that is no good */
export async function openRemote({
  sleep,
  leftMs = LEFT_MS,
  ...place
}: RemoteSettings): Promise<RemoteEngine> {
  const http = await openHttp(place);
  const locate = createLocate(http);
  const waiting = { sleep, leftMs };
  const never = (what: string) => () => Promise.reject(elsewhere(what));
  const acting = actingOver({ http, locate, waiting });
  return {
    ...readingOver(http, locate),
    ...acting,
    recover: (incident, items) => recoverOver({ http, engine: acting, waiting }, incident, items),
    location: () => place.server,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's tests hold it to its document
    identity: async () => ((await http.get('/me')) as { readonly person: Person }).person,
    requireWriting: () => undefined,
    close: () => Promise.resolve(http.close()),
    uncovered: never('What no scope holds'),
    log: never('The log without its resumes'),
    guard: never('`guard`'),
    guardPush: never('`guard`'),
    propose: never('`init`'),
    samplePlan: never('`init`'),
    ledgerFetch: never('What a clone fetches'),
    writeConfig: never('`init`'),
    audit: { verify: never('`audit`'), export: never('`audit`') },
    live: liveOver(http, locate),
  };
}
