import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';

/** docker-compose.yml must say what the manifests say; that Pods work is tested on their own. */

interface Service {
  readonly profiles: readonly string[];
  readonly image: string;
  readonly command: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly user?: string;
}

const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
};
const all = Object.entries(services);

function containersOf(profile: string): { image: string; args: readonly string[] }[] {
  const text = readFileSync(`manifests/pods/${profile}.yaml`, 'utf8');
  return parseAllDocuments(text, { merge: true }).flatMap((document) => {
    const { spec = {} } = document.toJS();
    return [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  });
}

/** `--flag value` and `--flag=value` are the same. */
function words(args: readonly string[]): string {
  return args.join(' ').replace(/(--[a-z-]+)=/g, '$1 ');
}

test('every profile is that of a Pod', () => {
  for (const [name, { profiles }] of all) {
    for (const profile of profiles) {
      assert.ok(existsSync(`manifests/pods/${profile}.yaml`), `${name} has the profile ${profile}`);
    }
  }
});

test('every service runs a container of its Pod: the same image and arguments', () => {
  for (const [name, { profiles, image, command }] of all) {
    // The one that only owns the namespaces has no counterpart.
    if (command.includes('file:/never')) continue;
    const same = containersOf(profiles[0] ?? '').filter(
      (one) => one.image === image && words(one.args) === words(command),
    );
    assert.equal(same.length, 1, `${name}: ${image} ${words(command)}`);
  }
});

test('every container of a Pod that has a profile is a service', () => {
  const profiles = new Set(all.flatMap(([, service]) => service.profiles));
  for (const profile of profiles) {
    const own = all.filter(
      ([, service]) =>
        service.profiles.includes(profile) && !service.command.includes('file:/never'),
    );
    assert.equal(own.length, containersOf(profile).length, profile);
  }
});

test('every service is as restricted as its Pod', () => {
  for (const [name, service] of all) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
  }
});
