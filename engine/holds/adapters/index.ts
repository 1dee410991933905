/** The adapters, in the order in which they look at a file. */
import type { Adapter } from './adapter.ts';
import { flux } from './flux.ts';
import { gitSource } from './git-source.ts';
import { imageUpdater } from './image-updater.ts';
import { keys } from './keys.ts';
import { renovate } from './renovate.ts';

export const ADAPTERS: readonly Adapter[] = [flux, renovate, imageUpdater, keys, gitSource];
