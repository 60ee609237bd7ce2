import type { DebianFiles } from './debian-files.ts';

/** The images that are built, one a sidecar; all share one base layer. */
export interface ImageSpec {
  readonly name: string;
  /** One line for its OCI label. */
  readonly title: string;
  /** Calls the kernel's message queues through koffi's prebuilt binding. */
  readonly native?: boolean;
  /** Programs of Debian that it runs. */
  readonly debian?: DebianFiles;
  /**
   * Arguments of the run that warms the code cache: what it compiles is in the cache. It is
   * stopped by SIGTERM once it listens, unless it ends by itself.
   */
  readonly warmUp: readonly string[];
  /** The configuration file of that run, given by `--config`. */
  readonly warmUpConfig?: object;
}

export const IMAGES: readonly ImageSpec[] = [
  {
    name: 'ambassador',
    title: 'Reverse proxy in front of the app, and local endpoint for external services',
    warmUp: [
      '--admin',
      '127.0.0.1:0',
      '--listen',
      '127.0.0.1:0',
      '--upstream',
      'http://127.0.0.1:9',
    ],
  },
  {
    name: 'adapter',
    title: 'Log adapter',
    warmUp: ['--admin', '127.0.0.1:0', '--include', '/tmp/sidekit-warm-up/*.log'],
  },
  {
    name: 'file-writer',
    title: 'Writes complete files or none',
    warmUp: [
      '--admin',
      '127.0.0.1:0',
      '--source',
      'clock',
      '--target',
      '/tmp/sidekit-warm-up/clock',
    ],
  },
  {
    name: 'coordinator',
    title: 'Drives the lifecycle of the other containers of a Pod by a plan',
    native: true,
    warmUp: ['--admin', '127.0.0.1:0', '--state-dir', '/tmp/sidekit-warm-up/state'],
    warmUpConfig: {
      sequences: [
        {
          name: 'warm-up',
          when: [{ start: true }, { changed: '/tmp/sidekit-warm-up/config' }],
          steps: [{ write: { path: '/tmp/sidekit-warm-up/written', content: '' } }],
          always: [{ pause: '1ms' }],
        },
      ],
    },
  },
  {
    name: 'git-server',
    title: 'Demo git server over smart HTTP',
    debian: {
      packages: ['git', 'libpcre2-8-0', 'zlib1g'],
      files: [
        'usr/bin/git',
        'usr/lib/*-linux-gnu/libpcre2-8.so.0',
        'usr/lib/*-linux-gnu/libz.so.1',
        'usr/share/doc/git/copyright',
        'usr/share/doc/libpcre2-8-0/copyright',
        'usr/share/doc/zlib1g/copyright',
      ],
    },
    // Its git needs the libraries of the image, so it is not run while it is built.
    warmUp: ['--help'],
  },
  {
    name: 'mq',
    title: 'Producer and consumer over a POSIX message queue or shared memory',
    native: true,
    warmUp: ['consumer', '--admin', '127.0.0.1:0', '--queue', '/sidekit-warm-up'],
  },
  {
    name: 'wait-for',
    title: 'Waits for queues, ports, URLs, files and names',
    native: true,
    warmUp: ['tcp:127.0.0.1:9', '--timeout', '1s'],
  },
  {
    name: 'webapp',
    title: 'Demo application',
    warmUp: ['--admin', '127.0.0.1:0', '--listen', '127.0.0.1:0'],
  },
];
