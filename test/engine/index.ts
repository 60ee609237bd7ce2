import { ComposeEngine } from './compose-engine.ts';
import type { Session, TestEngine } from './engine.ts';
import { KubeEngine } from './kube-engine.ts';
import { PodEngine } from './pod-engine.ts';

export type { Session, TestEngine } from './engine.ts';

/** The engine that POD_ENGINE names: docker, podman, kube or compose; podman where it says nothing. */
export function testEngine(): TestEngine {
  const { POD_ENGINE: name = 'podman' } = process.env;
  if (name === 'kube') return new KubeEngine();
  if (name === 'compose') return new ComposeEngine();
  if (name === 'docker' || name === 'podman') return new PodEngine(name);
  throw new Error(`POD_ENGINE=${name} is not an engine: use docker, podman, kube or compose`);
}

/** Applies manifests/pods/<name>.yaml. */
export function applyPod(name: string): Promise<Session> {
  return testEngine().apply(`manifests/pods/${name}.yaml`);
}
