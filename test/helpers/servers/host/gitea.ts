import type { HostContext } from './context.ts';
import type { Dialect } from './server.ts';

export function gitea(context: HostContext): Dialect {
  throw new Error(`There is no Gitea here yet: ${context.name}.`);
}
