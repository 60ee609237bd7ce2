/**
 * Fields that apps believe to be set by a proxy in front of them, in lower case. They are passed on
 * from trusted proxies only.
 */
export const FORWARDED: readonly string[] = [
  'forwarded',
  'forwarded-for',
  'x-forwarded',
  'x-original-forwarded-for',
  'x-original-host',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-scheme',
  'x-url-scheme',
  'x-script-name',
  'x-host',
  'front-end-https',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-envoy-external-address',
  'x-remote-addr',
  'x-remote-ip',
  'x-azure-clientip',
  'x-appengine-user-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'fly-client-ip',
];

/** The beginnings of names of such fields. */
export const FORWARDED_PREFIXES: readonly string[] = ['x-forwarded-'];

/**
 * Fields that say who the client is by its certificate, in lower case. Like the others, and never
 * from anybody if the ambassador verifies client certificates itself.
 */
export const IDENTITY: readonly string[] = [
  'client-cert',
  'client-cert-chain',
  'x-client-verify',
  'x-client-dn',
  'x-client-subject',
  'x-ssl-cert',
  'x-arr-clientcert',
  'x-forwarded-client-cert',
  'x-forwarded-client-cert-chain',
  'x-forwarded-tls-client-cert',
  'x-forwarded-tls-client-cert-info',
];

/** The beginnings of names of such fields. */
export const IDENTITY_PREFIXES: readonly string[] = [
  'x-client-cert',
  'x-ssl-client-',
  'x-tls-client-',
  'ssl-client-',
  'x-amzn-mtls-',
];
