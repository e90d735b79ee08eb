#!/bin/bash
# A Spark cluster on this machine: a master, two workers of one core each, and a Connect server.
#   scripts/spark_cluster.sh FOLDER      installs pyspark there once, then runs until Ctrl-C
# It answers at sc://127.0.0.1:15002. Needs Java 17 or later. For trying; not for production.
set -euo pipefail
folder=$(realpath -m "${1:?a folder for pyspark and its work}")
if [ ! -x "$folder/venv/bin/spark-class" ]; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet 'pyspark>=4.1,<5'
fi
SPARK_HOME=$("$folder/venv/bin/python" -c 'import pyspark; print(pyspark.__path__[0])')
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_DIRS="$folder/spill" PYSPARK_PYTHON="$folder/venv/bin/python"
class="$SPARK_HOME/bin/spark-class"
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait' EXIT

"$class" org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 7077 --webui-port 0 \
  >"$folder/master.log" 2>&1 & started+=($!)
for number in 1 2; do
  "$class" org.apache.spark.deploy.worker.Worker spark://127.0.0.1:7077 --host 127.0.0.1 --cores 1 \
    --memory 1500m --webui-port 0 --work-dir "$folder/work-$number" >"$folder/worker-$number.log" 2>&1 &
  started+=($!)
done
"$SPARK_HOME/bin/spark-submit" --master spark://127.0.0.1:7077 \
  --class org.apache.spark.sql.connect.service.SparkConnectServer --name onsil \
  --conf spark.connect.grpc.binding.address=127.0.0.1 --conf spark.connect.grpc.binding.port=15002 \
  --conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 \
  --conf spark.driver.memory=1g --conf spark.executor.memory=1200m --conf spark.executor.cores=1 \
  --conf spark.sql.session.timeZone=UTC --conf spark.ui.enabled=false spark-internal \
  >"$folder/connect.log" 2>&1 & started+=($!)
until (exec 3<>/dev/tcp/127.0.0.1/15002) 2>/dev/null; do
  kill -0 "${started[-1]}" || { tail -5 "$folder/connect.log" >&2; exit 1; }
  sleep 1
done
echo "sc://127.0.0.1:15002"
wait
