/** Where the repository is, for those who call from elsewhere: they are told its address, without a login, or its name, and no path of the machine. */
import { basename } from 'node:path';
import type { Engine } from '../engine/index.ts';

const ADDRESS = /^(?:https?|ssh|git):\/\//i;
/** `git@git.example.com:acme/config.git` */
const SCP = /^[^/\\:\s]+:(?![\\/]{2}|[\\/]?$)/;

export function shownPlace(text: string): string {
  if (ADDRESS.test(text)) return text.replace(/^[a-z]+:\/\/[^/?#]*@/i, keepUser);
  if (SCP.test(text)) return text;
  return basename(text.replace(/^file:\/\//i, '').replace(/[\\/]+(?:\.git[\\/]*)?$/, ''));
}

/** Of ssh the name of the user is a part of the address, and a password is not. */
function keepUser(login: string): string {
  const [, scheme = '', user = ''] = /^([a-z]+:\/\/)([^:@]*)/i.exec(login) ?? [];
  return /^ssh:/i.test(scheme) && user !== '' ? `${scheme}${user}@` : scheme;
}

type Placed = { readonly destination?: { readonly address: string } };

const hidden = <Value extends Placed>(value: Value): Value =>
  value.destination === undefined
    ? value
    : { ...value, destination: { ...value.destination, address: shownPlace(value.destination.address) } };

/** The same engine, which says of no answer where on this machine it is. */
export function withoutPaths(engine: Engine): Engine {
  const { rollbacks, requests } = engine;
  return {
    ...engine,
    destination: async () => {
      const found = await engine.destination();
      return { ...found, address: shownPlace(found.address) };
    },
    rollbacks: {
      ...rollbacks,
      plan: async (ask) => hidden(await rollbacks.plan(ask)),
      earlier: async (ask) => {
        const found = await rollbacks.earlier(ask);
        return found && { ...found, plan: hidden(found.plan) };
      },
    },
    requests: {
      ...requests,
      plan: async (ask) => {
        const found = await requests.plan(ask);
        return { ...found, plan: hidden(found.plan) };
      },
    },
  };
}
