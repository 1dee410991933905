import type { RefusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import type { Operation } from './context.ts';

export type EditResult =
  | {
      readonly ok: true;
      readonly text: string;
      readonly changed: boolean;
      /** What was done, leaf by leaf; selectors begin with the one that was given. */
      readonly operations: readonly Operation[];
    }
  | {
      readonly ok: false;
      readonly reason: RefusalReason;
      /** One sentence that names the place; never the content of the file. */
      readonly message: string;
      readonly hint: string;
    };

export interface FieldRestoration {
  /** Where the text stands: its format goes by the name. Without it the text is YAML. */
  readonly path?: string;
  /** Text to be changed, decoded, with its byte order mark. */
  readonly base: string;
  /** Text that holds the field as it was. */
  readonly target: string;
  readonly selector: Selector;
}
