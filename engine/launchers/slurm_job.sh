# The script of a SLURM job: runs the worker, passes signals on, and puts the job back into the queue if SLURM ended it.
# Before this are its variables: folder, mark (the worker's own, in its environment), requeues, stop, and together: the
# folder where several processes of one training meet, of which the first, here, is asked to stop.
cd "$folder" || exit 1
[ ! -e "$stop" ] || exit 143  # stopped while it was on its way back into the queue
worker='' asked=''
ask() {
  asked=yes
  [ -z "$worker" ] || kill -TERM "$(cat "$together/leader" 2>/dev/null || echo "$worker")" 2>/dev/null
}
kill_all() {  # on other nodes by SLURM, here by the mark: a process whose parent has ended is no descendant any more
  [ -z "$together" ] || scancel --signal=KILL "$SLURM_JOB_ID"
  for place in /proc/[0-9]*; do
    grep -qzxF -- "$mark" "$place/environ" 2>/dev/null && kill -KILL "${place#/proc/}" 2>/dev/null
  done
}
trap ask TERM
trap kill_all USR2
[ -z "$together" ] || { rm -rf "$together" && mkdir "$together"; } || exit 1
env "$mark" WORKER &
worker=$!
[ -z "$asked" ] || ask
while :; do  # a signal ends `wait`, and not the worker
  wait "$worker"
  kill -0 "$worker" 2>/dev/null || break
done
wait "$worker"
code=$?
if [ "$code" -eq 143 ] && [ ! -e "$stop" ]; then  # ended by SIGTERM, and by no user: time limit or pre-emption
  # in any other state SLURM has decided already: it queues the job itself, or somebody has cancelled it
  if [ "${SLURM_RESTART_COUNT:-0}" -lt "$requeues" ] && [ "$(squeue -h -j "$SLURM_JOB_ID" -o %T)" = RUNNING ]; then
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
  fi
  exit 75
fi
exit "$code"
