import type { HostContext } from './context.ts';
import type { Dialect } from './server.ts';

export function gitlab(context: HostContext): Dialect {
  throw new Error(`There is no GitLab here yet: ${context.name}.`);
}
