/** What goes in and out of a proposal. */
import type { Layout } from '../../layout/layout.ts';
import type { Coordinates, Finding, TreeView } from '../../model/index.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { ReadValues } from '../survey/content.ts';
import type { Coverage } from './coverage.ts';
import type { Like } from './like.ts';
import type { ShapeName } from './shapes.ts';
import type { Survey } from '../survey/survey.ts';

/** What whoever asks knows already. */
export interface Steering {
  /** These names, and no others, are environments. */
  readonly environments?: readonly string[];
  readonly shape?: ShapeName;
  readonly like?: readonly Like[];
  /** Branches that are called like environments. */
  readonly branches?: readonly string[];
}

/** A layout that was tried on the tree. */
export interface LayoutOption {
  readonly shape: ShapeName;
  /** The text of the configuration. */
  readonly text: string;
  readonly layout: Layout;
  /** Environments and services that it finds, sorted. */
  readonly found: readonly Coordinates[];
  readonly coverage: Coverage;
  readonly findings: readonly Finding[];
  /** Why it is not chosen by itself, in one sentence. */
  readonly doubt: string | null;
}

export interface Proposal {
  /** The best first, at most three. */
  readonly options: readonly LayoutOption[];
  /** The first of them; null where none is clearly right: then `findings` says LAYOUT_UNCLEAR, and `text` is a template. */
  readonly chosen: LayoutOption | null;
  readonly text: string;
  readonly found: readonly Coordinates[];
  readonly findings: readonly Finding[];
}

export interface Look {
  readonly view: TreeView;
  readonly read: ReadValues;
  readonly survey: Survey;
}

export interface Tried {
  readonly option: LayoutOption;
  /** The candidate that it is made of; null where someone gave the patterns. */
  readonly principal: Candidate | null;
}
