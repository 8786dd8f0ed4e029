/* Decoded sound. */
#include "shim.h"

#include <libavcodec/avcodec.h>

#include "frame.h"

/* FFmpeg 5.1 has another word for how many channels there are, which is the only one from FFmpeg 7 on. */
static int channels(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 24, 100)
    return frame->ch_layout.nb_channels;
#else
    return frame->channels;
#endif
}

void shim_listen(const struct shim_frame *opaque, struct shim_sound *sound)
{
    const AVFrame *frame = avframe(opaque);
    *sound = (struct shim_sound){
        .channels = channels(frame),
        .samples = frame->nb_samples,
        .rate = frame->sample_rate,
        .is_float_in_rows = frame->format == AV_SAMPLE_FMT_FLTP,
    };
}

const float *shim_row(const struct shim_frame *opaque, int32_t channel)
{
    const AVFrame *frame = avframe(opaque);
    if (frame->format != AV_SAMPLE_FMT_FLTP || channel < 0 || channel >= channels(frame))
        return NULL;
    return (const float *)frame->extended_data[channel];
}
