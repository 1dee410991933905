import type { Clock, ImageRegistries } from '../model/index.ts';
import { parseRegistries } from './allowed.ts';

/**
 * The registries that `BACKTRAIL_REGISTRIES` of `env` lists. The client is loaded with the first image that one of them is asked for;
 * where none is listed, every image is unchecked.
 *
 * @throws INVALID_REQUEST, when they are asked, for an entry that is no registry
 */
export function openRegistries(
  env: Readonly<Record<string, string | undefined>>,
  clock: Pick<Clock, 'now'>,
): ImageRegistries {
  let client: Promise<ImageRegistries> | undefined;
  return {
    async ask(images, signal) {
      const listed = parseRegistries(env['BACKTRAIL_REGISTRIES'] ?? '');
      if (listed.size === 0) {
        const answer = { state: 'unchecked', reason: 'BACKTRAIL_REGISTRIES lists no registry' } as const;
        return new Map(images.map((image) => [image, answer]));
      }
      client ??= import('./registries.ts').then(({ createRegistries }) =>
        createRegistries(env, listed, clock),
      );
      return (await client).ask(images, signal);
    },
  };
}
