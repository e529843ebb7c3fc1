# Event files: written where they are asked for, and what TensorBoard's own reader finds in them is what the run says of itself; also
# of a run that was killed after its last checkpoint and did epochs twice. LOCKSTEP_TENSORBOARD_PYTHON names the Python that
# has the package `tensorboard`, else python3 is asked.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
train() { quietly ranks "$1" "$LOCKSTEP" train config.yaml --run "${@:2}"; }

# None where they are not wanted; of rank 0 alone where they are; they change nothing.
train 2 plain --set training.epochs=3
[ ! -e plain/tensorboard ]
train 2 run --set training.epochs=3 --set training.tensorboard='{}' --set training.checkpoint='{every_epochs: 2, keep: 9}'
same_run plain run
[ "$(ls run/tensorboard | grep -c '^events.out.tfevents.*.lockstep$')" = 1 ]

# A folder that cannot be written to is an error, and says so.
train 1 barred --set training.epochs=1
touch barred/tensorboard
expect_exit 1 ranks 2 "$LOCKSTEP" train config.yaml --run barred --resume --set training.epochs=2 --set training.tensorboard='{}' >messages 2>&1
said 'barred/tensorboard/events.out.tfevents.'

# The third epoch's checkpoint is lost, and the end of what was written: the run goes on from the second epoch in a file of its own.
rm "run/checkpoints/$(readlink run/checkpoints/last.h5)"
truncate --size=-5 run/tensorboard/*
train 1 run --resume --set training.epochs=4 --set training.tensorboard='{}'
[ "$(ls run/tensorboard | wc -l)" = 2 ]
# A run that is finished writes none.
train 1 run --resume --set training.epochs=4 --set training.tensorboard='{}'
[ "$(ls run/tensorboard | wc -l)" = 2 ]
train 2 bare --set training.epochs=1 --set training.tensorboard='{images: false, histograms: false}'
# And --overwrite removes them.
cp -a bare again
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
END
