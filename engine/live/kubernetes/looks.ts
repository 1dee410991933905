import type { LiveTarget, ObjectQuery } from '../../model/index.ts';
import type { Judgement } from '../judgement/judgement.ts';
import { filledName, isNamespace, isObjectName } from '../judgement/names.ts';
import type { DeclaredObject } from '../observer.ts';
import { whyAbsent, whyNotAsked } from '../drift/never-compared.ts';
import { isNamespaced } from '../drift/scope-of-kind.ts';
import { textAt } from '../read.ts';

/** A declared object that is looked at; or why it cannot be. */
export interface Look {
  readonly declared: DeclaredObject;
  /** `Deployment acme/api` */
  readonly object: string;
  readonly query: ObjectQuery | null;
  readonly problem: Judgement | null;
}

/**
 * What is looked at of what was delivered. Left out is what says nothing of whether the revision is live: Secrets, which are never read; hooks,
 * which run once and may be gone; what Flux or Kustomize are told to leave alone. Of an object that is declared twice the last counts, as with
 * kubectl.
 */
export function looksOf(manifests: readonly DeclaredObject[], target: LiveTarget): readonly Look[] {
  const template = target.rule.kubernetes?.namespace ?? null;
  const filled = template === null ? null : filledName(template, target);
  const looks = new Map<string, Look>();
  for (const declared of manifests) {
    if (isLeftOut(declared)) continue;
    const look = lookAt(declared, filled);
    looks.set(`${declared.apiVersion} ${look.object}`, look);
  }
  return [...looks.values()];
}

function lookAt(declared: DeclaredObject, filled: ReturnType<typeof filledName> | null): Look {
  const { apiVersion, kind, name } = declared;
  const isWithin = mayHaveNamespace(declared);
  const namespace = isWithin ? (declared.namespace ?? filled?.name ?? null) : null;
  const object = `${kind} ${namespace === null ? name : `${namespace}/${name}`}`;
  const refuse = (code: Judgement['code'] & string, message: string): Look => ({
    declared,
    object,
    query: null,
    problem: { state: 'unconfirmed', code, message },
  });
  if (!isObjectName(name))
    return refuse('NAME_INVALID', `${declared.path} declares a name that Kubernetes does not have.`);
  if (isWithin && namespace === null)
    return filled === null
      ? refuse(
          'NAMESPACE_MISSING',
          `${declared.path} names no namespace for it, and neither does \`kubernetes.namespace\` of \`live\`.`,
        )
      : refuse('NAME_INVALID', filled.problem ?? '');
  if (namespace !== null && !isNamespace(namespace))
    return refuse('NAME_INVALID', `${declared.path} declares a namespace that Kubernetes does not have.`);
  return { declared, object, query: { apiVersion, kind, namespace, name }, problem: null };
}

const annotation = ({ value }: DeclaredObject, key: string) => textAt(value, 'metadata', 'annotations', key);

/** Of custom kinds nobody knows here: with a namespace kubectl finds those that have none as well, and their names say it mostly. */
const mayHaveNamespace = (declared: DeclaredObject) =>
  isNamespaced(declared) ?? (declared.namespace !== null || !/^Cluster[A-Z]/.test(declared.kind));

const isLeftOut = (declared: DeclaredObject): boolean =>
  whyNotAsked(declared) !== null ||
  declared.apiVersion.startsWith('kustomize.config.k8s.io/') ||
  annotation(declared, 'config.kubernetes.io/local-config') === 'true' ||
  annotation(declared, 'kustomize.toolkit.fluxcd.io/reconcile')?.toLowerCase() === 'disabled' ||
  annotation(declared, 'kustomize.toolkit.fluxcd.io/ssa')?.toLowerCase() === 'ignore';

/** Flux creates it, and leaves it to others from then on: its fields are those that somebody else gave it. */
export const isOnlyCreated = (declared: DeclaredObject) =>
  annotation(declared, 'kustomize.toolkit.fluxcd.io/ssa')?.toLowerCase() === 'ifnotpresent';

/** A Job that is removed when it has ended: where it is missing, it may have been there. */
export const mayHaveEnded = (declared: DeclaredObject) => whyAbsent(declared) !== null;
