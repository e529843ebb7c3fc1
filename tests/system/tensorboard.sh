# Event files and the projector's: written where they are asked for, and what TensorBoard itself finds in them is what the run says of itself;
# also of a run that was killed after its last checkpoint and did epochs twice. LOCKSTEP_TENSORBOARD_PYTHON names the Python that
# has the package `tensorboard`, else python3 is asked.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

if grep -qs '^$' "$(dirname "$LOCKSTEP")/tensorboard"; then skip "this build has no TensorBoard"; fi

small_data
small_config >config.yaml
train() { quietly ranks "$1" "$LOCKSTEP" train config.yaml --run "${@:2}"; }

# None where they are not wanted; of rank 0 alone where they are; they change nothing.
train 2 plain --set training.epochs=3
[ ! -e plain/tensorboard ]
files_of() { ls "$1/tensorboard" | sed -E 's/^events.out.tfevents.*.lockstep$/events/'; }
train 2 run --set training.epochs=3 --set training.tensorboard='{}' --set training.checkpoint='{every_epochs: 2, keep: 9}'
same_run plain run
projector=$(printf '%s\n' projector-codes.tsv projector-labels.tsv projector-pictures.png projector_config.pbtxt)
[ "$(files_of run)" = "events"$'\n'"$projector" ] || fail "$(ls run/tensorboard)"

# The code may be of a layer that a convolution has absorbed.
train 2 absorbed --set training.epochs=3 --set training.tensorboard='{}' --set code=up_sampling2d
diff <(metrics plain) <(metrics absorbed)

# A folder that cannot be written to is an error, and says so.
train 1 barred --set training.epochs=1
touch barred/tensorboard
expect_exit 1 ranks 2 "$LOCKSTEP" train config.yaml --run barred --resume --set training.epochs=2 --set training.tensorboard='{}' >messages 2>&1
said 'barred/tensorboard/events.out.tfevents.'

# The third epoch's checkpoint is lost, and the end of what was written: the run goes on from the second epoch in a file of its own.
rm "run/checkpoints/$(readlink run/checkpoints/last.h5)"
truncate --size=-5 run/tensorboard/*
train 1 run --resume --set training.epochs=4 --set training.tensorboard='{}'
[ "$(files_of run | grep -c events)" = 2 ]
# A run that is finished writes none.
train 1 run --resume --set training.epochs=4 --set training.tensorboard='{}'
[ "$(files_of run | grep -c events)" = 2 ]
train 2 bare --set training.epochs=1 --set training.tensorboard='{images: false, histograms: false, projector: 0}'
[ "$(files_of bare)" = events ]

# The projector's points are the codes and labels that encode gives, of as many samples as were asked for.
same_points() { # same_points RUN SAMPLES
    quietly "$LOCKSTEP" encode "$1" -o codes.csv --overwrite
    diff <(tail -n +2 codes.csv | head -n "$2" | cut -d, -f 2- | tr , '\t') "$1/tensorboard/projector-codes.tsv" >&2
    diff <(tail -n +2 codes.csv | head -n "$2" | cut -d, -f 1) "$1/tensorboard/projector-labels.tsv" >&2
}
same_points run 206
train 3 few --set training.epochs=1 --set training.tensorboard='{histograms: false, projector: 60}'
same_points few 60
# Files of two sets are not shown as one: here the second set cannot be finished.
cp -a few torn
rm torn/tensorboard/projector-labels.tsv
mkdir torn/tensorboard/projector-labels.tsv
expect_exit 2 "$LOCKSTEP" train config.yaml --run torn --resume --set training.epochs=2 --set training.tensorboard='{}' >messages 2>&1
said 'torn/tensorboard/projector-labels.tsv'
[ "$(wc -l <torn/tensorboard/projector-codes.tsv)" = 206 ]
[ ! -e torn/tensorboard/projector_config.pbtxt ] || fail "labels and pictures of 60 samples beside codes of 206"
# Classes and samples that have names; nothing to colour by; a code that is not a picture's.
pictures_of_two_classes run/images/epoch-0001.png
quietly "$LOCKSTEP" import images pictures -o pictures.h5 --size 28x28 --channels 1
train 2 named --set data.train=pictures.h5 --set training.epochs=1 --set data.validation.split=0.5 --set training.tensorboard='{}'
[ "$(head -n 1 named/tensorboard/projector-labels.tsv)" = "label"$'\t'"name" ]
[ "$(grep -cE '^(cats'$'\t''cats/c|dogs'$'\t''dogs/d)[123].png$' named/tensorboard/projector-labels.tsv)" = 3 ] ||
    fail "$(cat named/tensorboard/projector-labels.tsv)"
quietly "$LOCKSTEP" import images pictures -o nameless.h5 --size 28x28 --channels 1 --labels none
quietly "$LOCKSTEP" encode run --data nameless.h5 -o vectors.h5
cat >vectors.yaml <<'YAML'
data: {train: vectors.h5, validation: {split: 0.5}, input: []}
model:
  - flatten
  - dense: {units: 3, name: code}
  - dense: 147
code: code
loss: mean_squared_error
optimizer: adam
training: {epochs: 1, batch_size: 3, images: 0, tensorboard: {}}
YAML
quietly ranks 2 "$LOCKSTEP" train vectors.yaml --run vectors
[ "$(awk -F '\t' '{ print NF }' vectors/tensorboard/projector-codes.tsv | sort | uniq -c | tr -s ' ')" = ' 3 3' ]
[ ! -e vectors/tensorboard/projector-pictures.png ]
# And --overwrite removes them.
cp -a run again
train 1 again --overwrite --set training.epochs=1
[ -z "$(ls again/tensorboard)" ]

python=${LOCKSTEP_TENSORBOARD_PYTHON:-python3}
"$python" -c 'import tensorboard' 2>messages ||
    skip "$python has no package tensorboard (LOCKSTEP_TENSORBOARD_PYTHON names another Python): $(tail -n 1 messages)"
"$python" - 2>messages <<'END' || fail "$(cat messages)"
import glob, json, struct
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

def read(run):
    events = EventAccumulator(run + "/tensorboard", size_guidance={"scalars": 0, "images": 0, "histograms": 0})
    events.Reload()
    return events, [json.loads(line) for line in open(run + "/metrics.jsonl")]

def check_scalars(events, metrics):
    tags = set(events.Tags()["scalars"])
    steps = [line["step"] for line in metrics]
    for name in metrics[0]:
        if isinstance(metrics[0][name], list):
            of_name = [(f"time/{name}/{which}", i) for i, which in enumerate(("least", "mean", "most"))]
            wanted = {tag: [line[name][i] for line in metrics] for tag, i in of_name}
        else:
            wanted = {name: [line[name] for line in metrics]}
        for tag, values in wanted.items():
            tags.remove(tag)
            found = events.Scalars(tag)
            assert [event.step for event in found] == steps, (tag, found)
            values = [struct.unpack("f", struct.pack("f", value))[0] for value in values]
            assert [event.value for event in found] == values, (tag, found, values)
    assert not tags, tags

def check_images(events, metrics):
    assert events.Tags()["images"] == ["images"]
    images = events.Images("images")
    assert len(images) == len(metrics)
    for image, line in zip(images, metrics):
        png = open("run/images/epoch-%04d.png" % line["epoch"], "rb").read()
        assert image.step == line["step"] and image.encoded_image_string == png
        assert (image.width, image.height) == struct.unpack(">II", png[16:24])

def check_histograms(events, metrics):
    numbers = {"code": 206 * 7 * 7 * 3}
    shapes = {"conv2d": (36, 4), "code": (108, 3), "conv2d_1": (27, 1)}
    for layer, (kernel, bias) in shapes.items():
        numbers.update({f"weights/{layer}/kernel": kernel, f"weights/{layer}/bias": bias})
    assert set(events.Tags()["histograms"]) == set(numbers)
    for tag, number in numbers.items():
        found = events.Histograms(tag)
        assert [event.step for event in found] == [line["step"] for line in metrics], tag
        for value in (event.histogram_value for event in found):
            assert value.num == sum(value.bucket) == number, (tag, value)
            assert value.min <= value.sum / number <= value.max, (tag, value)
            assert value.bucket_limit == sorted(value.bucket_limit), (tag, value)

events, metrics = read("run")
assert [line["epoch"] for line in metrics] == [1, 2, 3, 4]
check_scalars(events, metrics)
check_images(events, metrics)
check_histograms(events, metrics)
events, metrics = read("bare")
check_scalars(events, metrics)
assert not events.Tags()["images"] and not events.Tags()["histograms"]

# The server's own answers about the projector.
import array, time, urllib.parse, urllib.request
from tensorboard import program

server = program.TensorBoard()
server.configure(argv=[None, "--logdir", ".", "--port", "0", "--host", "127.0.0.1", "--load_fast", "false"])
url = server.launch() + "data/plugin/projector/"

def ask(what, **parameters):
    with urllib.request.urlopen(url + what + "?" + urllib.parse.urlencode(parameters)) as answer:
        return answer.read()

wanted = {"run/tensorboard", "absorbed/tensorboard", "few/tensorboard", "named/tensorboard", "vectors/tensorboard"}
for attempt in range(3000):
    runs = set(json.loads(ask("runs")))
    if wanted <= runs:
        break
    time.sleep(0.1)
assert runs == wanted, runs

def check_points(run, shape, labels, picture):
    [embedding] = json.loads(ask("info", run=run))["embeddings"]
    assert embedding["tensorName"] == "code" and embedding["tensorShape"] == shape, embedding
    codes = array.array("f", ask("tensor", run=run, name="code"))
    lines = open(run + "/projector-codes.tsv").read().splitlines()
    assert codes == array.array("f", [float(number) for line in lines for number in line.split("\t")])
    if labels:
        assert ask("metadata", run=run, name="code") == open(run + "/projector-labels.tsv", "rb").read()
    assert ("metadataPath" in embedding) == labels
    if picture:
        png = ask("sprite_image", run=run, name="code")
        assert embedding["sprite"]["singleImageDim"] == [28, 28]
        assert struct.unpack(">II", png[16:24]) == (picture, picture), png[:24]
    assert ("sprite" in embedding) == bool(picture)

check_points("run/tensorboard", [206, 147], True, 15 * 28)
check_points("few/tensorboard", [60, 147], True, 8 * 28)
check_points("named/tensorboard", [3, 147], True, 2 * 28)
check_points("vectors/tensorboard", [3, 3], True, 0)
END
