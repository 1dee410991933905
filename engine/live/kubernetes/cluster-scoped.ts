const KINDS = new Set(
  (
    'Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition APIService StorageClass CSIDriver CSINode ' +
    'VolumeAttachment VolumeAttributesClass PriorityClass RuntimeClass IngressClass GatewayClass MutatingWebhookConfiguration ' +
    'ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy ' +
    'MutatingAdmissionPolicyBinding FlowSchema PriorityLevelConfiguration CertificateSigningRequest DeviceClass'
  ).split(' '),
);

/**
 * Whether objects of a kind have no namespace. Of custom kinds it goes by their name (`ClusterIssuer`, `ClusterSecretStore`): with a namespace
 * kubectl finds such an object as well, so it matters only where there is none to ask in.
 */
export const isClusterScoped = (kind: string) => KINDS.has(kind) || /^Cluster[A-Z]/.test(kind);
