/** Which kinds a namespace holds. */
import { groupOf, textAt } from '../read.ts';

/** Kinds that Kubernetes itself has, and that no namespace holds. */
const CLUSTER_KINDS = new Set(
  (
    'Namespace Node PersistentVolume ComponentStatus ClusterRole ClusterRoleBinding StorageClass CSIDriver CSINode VolumeAttachment ' +
    'VolumeAttributesClass CustomResourceDefinition APIService PriorityClass IngressClass RuntimeClass FlowSchema PriorityLevelConfiguration ' +
    'MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ' +
    'MutatingAdmissionPolicy MutatingAdmissionPolicyBinding CertificateSigningRequest ClusterTrustBundle DeviceClass ResourceSlice ' +
    'IPAddress ServiceCIDR'
  ).split(' '),
);

const OWN_GROUPS =
  /^(?:|apps|batch|autoscaling|policy|extensions|(?:events|networking|rbac\.authorization|storage|apiextensions|apiregistration|scheduling|node|flowcontrol\.apiserver|admissionregistration|certificates|coordination|discovery|resource)\.k8s\.io)$/;

/** null: of a group that is not Kubernetes' own, so that nobody knows here. */
export function isNamespaced({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): boolean | null {
  return OWN_GROUPS.test(groupOf(apiVersion)) ? !CLUSTER_KINDS.has(kind) : null;
}

/** What a cluster calls an object that it answered. */
export const nameIn = (object: unknown): string | null => textAt(object, 'metadata', 'name') ?? null;
