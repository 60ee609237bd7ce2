import {
  boolean,
  choice,
  duration,
  integer,
  list,
  map,
  number,
  type OptionValues,
  option,
  path,
  SERVICE_ACCOUNT,
  size,
  text,
  url,
} from '@sidekit/core';
import { httpSource, notifyTarget, octal, owner, statusRange } from './types.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** The options of one file: its source, its target, and who is notified. */
export const fileOptions = {
  source: option(choice('clock', 'http', 'git', 'template', 'dir', 'kubernetes'), {
    description:
      'The source of the content: the time, URLs, a git repository, a template, a file or directory, or ConfigMaps and Secrets by label.',
  }),
  target: option(path, {
    description:
      'The file to write. For several files at once (`git`, `kubernetes`, `dir` of a directory, several URLs): the name of a symbolic link to the newest version.',
  }),
  interval: option(duration(10, DAY), {
    description: 'The time between two checks of the source.',
    default: 10_000,
  }),
  jitter: option(number(0, 1), {
    description:
      'The part of the interval that is cut off at random, so that many writers do not poll at the same time; `clock` has none.',
    default: 0.1,
  }),
  timeout: option(duration(1, DAY), {
    description: 'The longest time for one check of the source, download included.',
    default: 5 * MINUTE,
  }),
  idleTimeout: option(duration(1, DAY), {
    description: 'The longest time that a server may send nothing.',
    default: 30_000,
  }),
  retryMax: option(duration(10, DAY), {
    description:
      'The longest pause after failures; it doubles from 500 ms, with full jitter. A `Retry-After` header is honoured up to this.',
    default: MINUTE,
  }),
  readyWhen: option(choice('fresh', 'stale'), {
    description:
      '`fresh`: ready after the first success. `stale`: ready at once if there is content of an earlier run.',
    default: 'fresh',
  }),

  mode: option(octal, {
    description: 'The mode of files, set before the first byte is written.',
    default: 0o644,
  }),
  directoryMode: option(octal, {
    description: 'The mode of the directories that are created.',
    default: 0o755,
  }),
  owner: option(owner, {
    description: 'The owner of files and directories; needs CAP_CHOWN unless it is this user.',
  }),
  fsync: option(boolean, {
    description: 'Sync content and names to disk before they become visible.',
    default: true,
  }),
  maxSize: option(size(1, 64 * 1024 ** 3), {
    description:
      'The largest content, unpacked; more is refused. A file that is appended to starts over at this size.',
    default: 100 * 1024 ** 2,
  }),
  maxFiles: option(integer(1, 10_000_000), {
    description: 'The maximum number of files of one version.',
    default: 100_000,
  }),
  keep: option(integer(0, 1000), {
    description:
      'How many old versions to keep besides the newest, for readers that still use one.',
    default: 2,
  }),

  keepFor: option(duration(0, DAY), {
    description:
      'The minimum time to keep an old version, for readers that have just resolved the link.',
    default: 10_000,
  }),

  clockFormat: option(choice('date', 'rfc3339', 'rfc9110', 'unix'), {
    description: '`clock`: the format of the time, always in UTC.',
    default: 'date',
  }),
  clockMode: option(choice('append', 'replace'), {
    description: '`clock`: add a line each time, or keep one line.',
    default: 'append',
  }),
  url: option(list(httpSource), {
    description:
      '`http`: the URLs to download. Several, as `name=URL`, become files of one directory that changes at once.',
  }),
  header: option(map(text()), {
    description: '`http`: additional request headers, as `name=value`.',
    secret: true,
  }),
  bearerTokenFile: option(path, {
    description: '`http`: a file with a bearer token, read again for each request.',
  }),
  sha256: option(
    text('64 hexadecimal digits', {
      matches: /^[0-9a-f]{64}$/,
      rule: 'must be a SHA-256 in 64 lower-case hexadecimal digits',
      remedy: 'take the output of sha256sum',
    }),
    { description: '`http`, `dir` of one file: the checksum that the content must have.' },
  ),
  caFile: option(path, {
    description: '`http`, `git`: PEM certificates to trust instead of those built in.',
  }),
  repository: option(url('https', 'http'), { description: '`git`: the URL of the repository.' }),
  ref: option(text('branch, tag or commit'), {
    description:
      '`git`: the ref to follow. A commit must be one that the server lets clients fetch.',
    default: 'HEAD',
  }),
  subpath: option(path, { description: '`git`: publish only this directory of the repository.' }),
  credentials: option(path, {
    description:
      '`git`: a file with `user:password`, or a directory with `username` and `password` as in a Secret of type `kubernetes.io/basic-auth`; read again for each check.',
  }),
  selector: option(text('label selector'), {
    description:
      '`kubernetes`: the labels of the objects, as for `kubectl -l`: `grafana_dashboard=1`.',
  }),
  kinds: option(list(choice('ConfigMap', 'Secret')), {
    description: '`kubernetes`: the kinds of objects. Files of Secrets get the mode 0440 at most.',
    default: ['ConfigMap'],
  }),
  namespace: option(
    list(
      text('namespace', {
        matches: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
        rule: 'must be the name of a namespace',
      }),
    ),
    {
      description: '`kubernetes`: the namespaces; that of the Pod by default.',
    },
  ),
  folderAnnotation: option(text('annotation'), {
    description:
      '`kubernetes`: the annotation that names the folder of an object, relative to the target.',
    default: 'sidekit.dev/folder',
  }),
  serviceAccount: option(path, {
    description:
      '`kubernetes`: the directory with `token`, `ca.crt` and `namespace`; read again for each request.',
    default: SERVICE_ACCOUNT,
  }),
  links: option(choice('refuse', 'skip'), {
    description:
      '`git`, `dir`: symbolic links that lead out of the tree: refuse the version, or skip them with a warning.',
    default: 'refuse',
  }),
  template: option(path, { description: '`template`: the Liquid template.' }),
  data: option(map(path), {
    description:
      '`template`: data as `name=path`: `.json` and `.yaml` files are parsed, a directory becomes a map of its files, other files are text.',
  }),
  from: option(path, {
    description: '`dir`: the file or directory to mirror, such as a ConfigMap or Secret.',
  }),

  notify: option(notifyTarget, {
    description:
      'Notify the application after each change, until it accepts: the URL of a request, or `signal:HUP:nginx` for a signal to the process of that name (with `shareProcessNamespace` and the same user).',
  }),
  notifyAll: option(boolean, {
    description: 'Signal every process of that name; by default several are an error.',
    default: false,
  }),
  notifyCheck: option(url('http', 'https'), {
    description:
      'With a signal: a URL that must answer after it, or the notification is repeated. A signal alone cannot be observed.',
  }),
  notifyMethod: option(choice('POST', 'PUT', 'GET'), {
    description: 'The method of that request.',
    default: 'POST',
  }),
  notifyStatus: option(list(statusRange), {
    description: 'The statuses that count as accepted, such as `200-299`.',
    default: [{ from: 200, to: 299 }],
  }),
  notifyTimeout: option(duration(1, 10 * MINUTE), {
    description: 'The longest time for one such request.',
    default: 10_000,
  }),
  notifyFirst: option(boolean, {
    description:
      'Also notify after the first sync. A native sidecar starts before the application, so by then nobody would answer.',
    default: false,
  }),
} as const;

export type FileOptions = typeof fileOptions;
export type FileValues = OptionValues<FileOptions>;
