/** The user agent of probes: the kubelet's, of the latest version whose behaviour pod follows. */
export const USER_AGENT = 'kube-probe/1.36';
