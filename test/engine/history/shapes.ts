/** A service in a file of its own. */
export const API = 'tenants/acme/prod/services/api';

export const WEB = 'tenants/acme/prod/services/web';

export const spec = (tag: string, replicas = 1) => `image:\n  tag: ${tag}\nreplicas: ${replicas}\n`;
