/** Where the repository is, for those who call from elsewhere: they are told its address, without a login, or its name, and no path of the machine. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BacktrailError, type Engine, isFailure } from '../engine/index.ts';

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

/** A text without the path of this repository: its last name stands for it. */
function hiding(location: string): Hide {
  if (ADDRESS.test(location) || SCP.test(location)) return (text) => text;
  const isAddress = /^file:/i.test(location);
  const path = (isAddress ? pathOf(location) : location).replace(/[\\/]+$/, '');
  if (path === '') return (text) => text;
  // Not within another path or name.
  const named = new RegExp(`(?:file://)?(?<![\\w.-])${escaped(path)}(?![\\w-])`, 'gi');
  const shown = shownPlace(location);
  const addressed = (text: string) => (isAddress ? text.replaceAll(location, () => shown) : text);
  return (text) => addressed(text).replace(named, () => shown);
}

type Hide = (text: string) => string;

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function pathOf(address: string): string {
  try {
    return fileURLToPath(address);
  } catch {
    return address.replace(/^file:\/\//i, '');
  }
}

function inAll(value: unknown, hide: Hide): unknown {
  if (typeof value === 'string') return hide(value);
  if (Array.isArray(value)) return value.map((each: unknown) => inAll(each, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inAll(each, hide)]));
}

/** A failure says where it happened, in words of git as well. */
function hiddenFailure(error: unknown, hide: Hide): unknown {
  if (!isFailure(error)) return error;
  const { code, message, hint, details } = error;
  const said = { message: hide(message), hint: hide(hint) };
  const told = Object.fromEntries(Object.entries(details).map(([key, each]) => [key, inAll(each, hide)]));
  const isSame =
    said.message === message && said.hint === hint && JSON.stringify(told) === JSON.stringify(details);
  if (isSame) return error;
  return new BacktrailError(code, said.message, { hint: said.hint, details: told, cause: error });
}

/** One of many that failed by itself. */
const hiddenReason = (each: unknown, hide: Hide): unknown =>
  typeof each === 'object' && each !== null && 'reason' in each
    ? { ...each, reason: hiddenFailure(each.reason, hide) }
    : each;

/** The same functions, whose failures say no path. */
function failingHidden<Part extends object>(part: Part, hide: Hide): Part {
  const fail = (error: unknown): never => {
    throw hiddenFailure(error, hide);
  };
  return new Proxy(part, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value === 'object' && value !== null) return failingHidden(value, hide);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        try {
          const made: unknown = Reflect.apply(value, target, given);
          if (!(made instanceof Promise)) return made;
          return made.then(
            (all: unknown) =>
              Array.isArray(all) ? all.map((each: unknown) => hiddenReason(each, hide)) : all,
            fail,
          );
        } catch (error) {
          return fail(error);
        }
      };
    },
  });
}

/** The same of what works at a repository, such as its queue. */
export const failingWithoutPaths = <Part extends object>(part: Part, location: string): Part =>
  failingHidden(part, hiding(location));

interface Placed {
  readonly destination?: { readonly address: string };
  readonly findings?: readonly { readonly message: string }[];
}

/** The same engine, which says of no answer where on this machine it is. */
export function withoutPaths(given: Engine): Engine {
  const hide = hiding(given.location());
  const hidden = <Value extends Placed>(value: Value): Value => ({
    ...value,
    ...(value.destination && {
      destination: { ...value.destination, address: shownPlace(value.destination.address) },
    }),
    ...(value.findings && {
      findings: value.findings.map((each) => ({ ...each, message: hide(each.message) })),
    }),
  });
  const engine = failingHidden(given, hide);
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
